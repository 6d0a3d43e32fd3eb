// The style sheet of reports.
#pragma once

#include <string_view>

namespace gradus::plot {

extern const std::string_view page_style;

}  // namespace gradus::plot
