// History::save_report: all that is known of a run on one page.
#include "gradus/plot/report.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <numeric>

#include "gradus/train/diagnose.hpp"
#include "gradus/train/history.hpp"
#include "storage/atomic_file.hpp"
#include "storage/format.hpp"
#include "train/report/columns.hpp"
#include "train/report/curves.hpp"

namespace gradus::train {
namespace {

constexpr std::int64_t most_rows = 100;
constexpr std::size_t most_columns = 9;

std::string duration(double seconds) {
  if (seconds < 60) return formatted("{:.1f} s", seconds);
  const auto whole = std::llround(seconds);
  if (whole < 3600) return formatted("{} min {} s", whole / 60, whole % 60);
  return formatted("{} h {} min", whole / 3600, whole % 3600 / 60);
}

std::string summary(const History& history) {
  const auto count = history.size();
  std::string text = formatted("{} epoch{}", count, count == 1 ? "" : "s");
  if (history.contains("seconds")) {
    const auto& seconds = history.values("seconds");
    text += " in " + duration(std::accumulate(seconds.begin(), seconds.end(), 0.0));
  }
  if (!history.stop_reason().empty()) text += "; stopped: " + history.stop_reason();
  return text + '.';
}

// Best and last value of everything that a run is judged by.
void report_results(plot::Report& report, const History& history, const Columns& columns) {
  const auto epochs = epochs_of(history);
  std::vector<std::vector<std::string>> rows;
  const auto add = [&](const std::string& name) {
    if (name.empty()) return;
    const std::int64_t best = history.best_row(name);
    if (std::isnan(history.best(name))) return;
    rows.push_back({spaced(name), short_number(history.best(name)),
                    short_number(epochs[static_cast<std::size_t>(best)]), short_number(history.last(name))});
  };
  for (const auto* group : {&columns.losses, &columns.metrics}) {
    for (const JudgedColumn& column : *group) {
      add(column.train);
      add(column.valid);
    }
  }
  if (!rows.empty()) report.table({"", "best", "at epoch", "at the end"}, rows);
}

void report_diagnosis(plot::Report& report, const History& history) {
  if (!history.contains("loss")) return;
  const Diagnosis diagnosis = diagnose(history);
  report.heading("Diagnosis");
  if (diagnosis.healthy()) {
    report.paragraph("Healthy: the curves show nothing to find fault with.");
    return;
  }
  std::vector<std::vector<std::string>> rows;
  for (const Symptom& s : diagnosis.findings) {
    const std::string what(to_string(s.illness));
    rows.push_back({std::string(to_string(severity_of(s.illness))), s.where.empty() ? what : what + " at " + s.where,
                    s.evidence, s.advice});
  }
  report.table({"severity", "what", "evidence", "what to try"}, rows);
}

bool goes_on(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == ':'; }

// The options that fit() notes name types: "gradus::optim::AdamW" is known as AdamW. Other names keep what they have.
std::string without_namespaces(std::string text) {
  for (const std::string_view part : {"gradus::", "optim::", "nn::", "train::", "(anonymous namespace)::"}) {
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at)) {
      if (at > 0 && goes_on(text[at - 1]))
        at += part.size();
      else
        text.erase(at, part.size());
    }
  }
  return text;
}

// Notes of one line are facts, such as options; longer ones are texts of their own.
void report_notes(plot::Report& report, const History& history) {
  std::vector<std::vector<std::string>> facts;
  for (const auto& [name, text] : history.notes()) {
    if (text.find('\n') == std::string::npos) facts.push_back({spaced(name), without_namespaces(text)});
  }
  if (!facts.empty()) report.heading("The run").table({"", ""}, facts);
  for (const auto& [name, text] : history.notes()) {
    if (text.find('\n') != std::string::npos) report.heading(spaced(name)).preformatted(text);
  }
}

// Every so many rows of a long run, and the last one. Columns by layer are in the picture.
void report_epochs(plot::Report& report, const History& history, const Columns& columns) {
  std::vector<std::string> names = history.names();
  if (names.size() > most_columns) {
    std::erase_if(names, [&](const std::string& name) { return std::ranges::count(columns.layers, name) > 0; });
  }
  if (names.empty() || history.size() == 0) return;
  std::vector<std::string> header;
  for (const std::string& name : names) header.push_back(spaced(name));
  const std::int64_t stride = (history.size() + most_rows - 1) / most_rows;
  std::vector<std::vector<std::string>> rows;
  for (std::int64_t row = 0; row < history.size(); ++row) {
    if (row % stride != 0 && row + 1 != history.size()) continue;
    rows.emplace_back();
    for (const std::string& name : names)
      rows.back().push_back(short_number(history.values(name)[static_cast<std::size_t>(row)]));
  }
  report.heading("Epochs").table(header, rows, stride == 1 ? "" : formatted("Every {} epochs.", stride));
}

}  // namespace

void History::save_report(const std::string& path, const ReportOptions& options) const {
  const Columns columns(*this);
  plot::Report report(options.title);
  report.paragraph(summary(*this));
  report_results(report, *this, columns);
  report_curves(report, *this, columns);
  report_steps(report, *this, columns);
  report_diagnosis(report, *this);
  if (!events_.empty()) report.heading("On the way").list(events_);
  report_notes(report, *this);
  report_epochs(report, *this, columns);
  write_atomically("save_report", path, report.html());
}

}  // namespace gradus::train
