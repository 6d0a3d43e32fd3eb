#include "plot/page_style.hpp"

namespace gradus::plot {

const std::string_view page_style = R"(<style>
:root { --paper: #ffffff; --ink: #24292f; --muted: #57606a; --rule: #d8dee4; --wash: #f6f8fa; }
@media (prefers-color-scheme: dark) { :root { --paper: #0d1117; --ink: #e6edf3; --muted: #a5adb6; --rule: #30363d; --wash: #161b22; } }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.6 system-ui, "Segoe UI", "DejaVu Sans", sans-serif; }
main { max-width: 1080px; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
h1 { font-size: 1.9rem; line-height: 1.25; margin: 0 0 1.25rem; }
h2 { font-size: 1.35rem; line-height: 1.3; margin: 2.5rem 0 0.75rem; padding-top: 0.75rem; border-top: 1px solid var(--rule); }
h3 { font-size: 1.08rem; margin: 1.75rem 0 0.5rem; }
p, ul, ol { max-width: 44rem; }
figure { margin: 1.5rem 0; }
figure svg { display: block; max-width: 100%; height: auto; }
figcaption, caption { color: var(--muted); font-size: 0.92rem; max-width: 44rem; text-align: left; margin-top: 0.4rem; }
caption { caption-side: bottom; padding-top: 0.4rem; }
.table { overflow-x: auto; margin: 1.25rem 0; }
table { border-collapse: collapse; font-size: 0.94rem; font-variant-numeric: tabular-nums; }
th, td { padding: 0.3rem 0.85rem; text-align: left; border-bottom: 1px solid var(--rule); }
th { border-bottom: 2px solid var(--rule); font-weight: 600; vertical-align: bottom; }
th.number, td.number { text-align: right; white-space: nowrap; }
pre { background: var(--wash); padding: 0.9rem 1.1rem; border-radius: 6px; overflow-x: auto; font: 0.86rem/1.45 ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; }
@media print { main { max-width: none; padding: 0; } figure, tr, pre { break-inside: avoid; } h2, h3 { break-after: avoid; } pre { white-space: pre-wrap; } }
</style>
)";

}  // namespace gradus::plot
