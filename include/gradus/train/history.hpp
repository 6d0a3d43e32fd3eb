// The numbers of a training run, one row per epoch (or whatever its caller counts).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gradus::train {

using NamedValue = std::pair<std::string, double>;

struct CurveOptions {
  std::string title = "Loss";
  std::string x = "epoch";                // the column along the horizontal axis; without it, rows count from 1
  std::vector<std::string> columns = {};  // the curves; default: every column whose name ends in "loss"
  bool log_scale = false;                 // vertical; values that aren't positive are left out
};

struct ReportOptions {
  std::string title = "Training run";
};

// What is better: less or more. By itself less for names that end in "loss", "mae", "mse", "error" or "perplexity".
enum class Mode : std::uint8_t { automatic, min, max };
bool less_is_better(std::string_view name, Mode mode = Mode::automatic);

class History {
 public:
  // A row of values: `append({{"epoch", 1}, {"loss", 0.7}})`. A new name starts a column; what a row lacks is NaN.
  // Throws if a name comes twice or is not UTF-8.
  void append(const std::vector<NamedValue>& row);

  std::int64_t size() const { return rows_; }
  // In order of appearance.
  const std::vector<std::string>& names() const { return names_; }
  bool contains(std::string_view name) const;
  // One column, a value per row. Throws if there is none of that name.
  const std::vector<double>& values(std::string_view name) const;

  // The value of the last row, NaN before the first one. Throws if there is no such column.
  double last(std::string_view name) const;
  // The best value of a column; NaN counts only if there is nothing else. Throws if there is no such column.
  double best(std::string_view name, Mode mode = Mode::automatic) const;
  // The first row that has it, from 0; -1 if there is none.
  std::int64_t best_row(std::string_view name, Mode mode = Mode::automatic) const;

  // --- What numbers don't tell ------------------------------------------------------------------------------------
  // What ended training early, or tried to while its last epoch was being validated; empty if nothing did.
  const std::string& stop_reason() const { return stop_reason_; }
  void set_stop_reason(std::string reason) { stop_reason_ = std::move(reason); }
  // What happened on the way, in order: "epoch 12: the learning rate falls to 0.001".
  const std::vector<std::string>& events() const { return events_; }
  void add_event(std::string event) { events_.push_back(std::move(event)); }
  // Facts about the run by name, such as options, in order. A name that is there gets the new text. Throws as append.
  const std::vector<std::pair<std::string, std::string>>& notes() const { return notes_; }
  void note(std::string_view name, std::string text);

  // Equal to the last bit; NaN equals NaN.
  bool operator==(const History& other) const;

  // --- Files ------------------------------------------------------------------------------------------------------
  // Every save replaces the file as a whole or, on an error, leaves it as it was; it throws naming the path.
  // A line per row; a cell that is NaN stays empty. Of the texts it holds nothing.
  void save_csv(const std::string& path) const;
  static History load_csv(const std::string& path);
  // All of it, read back to the last bit: {"columns": {"loss": [0.7, null]}, "notes": {}, "events": [], ...}, where
  // null is NaN and "inf" infinity. from_json throws if the text is anything else; `where` begins the message.
  std::string to_json() const;
  static History from_json(std::string_view text, std::string_view where = "History");
  void save_json(const std::string& path) const;
  static History load_json(const std::string& path);
  // A picture of the curves that needs nothing but an SVG viewer and follows its light or dark scheme.
  void save_svg(const std::string& path, const CurveOptions& options = {}) const;
  // One page with all of it: best values, curves, learning rates, gradients if gradient_monitor() was there, a
  // diagnosis of the curves, events, notes and the table of epochs. It needs nothing but a browser, no network.
  void save_report(const std::string& path, const ReportOptions& options = {}) const;

 private:
  std::int64_t rows_ = 0;
  std::vector<std::string> names_;
  std::vector<std::vector<double>> columns_;
  std::string stop_reason_;
  std::vector<std::string> events_;
  std::vector<std::pair<std::string, std::string>> notes_;
};

}  // namespace gradus::train
