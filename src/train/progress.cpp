#include "gradus/train/progress.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <string_view>

#include "gradus/error.hpp"
#include "storage/format.hpp"
#include "train/seconds.hpp"

namespace gradus::train {
namespace {

constexpr double redraw_interval = 0.1;  // seconds
constexpr int shortest_bar = 6, longest_bar = 28;
// Long runs print every so-many-th epoch to a file.
constexpr std::int64_t most_plain_lines = 100;

bool can_rewrite_lines(std::FILE* stream) {
  const char* terminal = std::getenv("TERM");
  return isatty(fileno(stream)) && terminal && std::string_view(terminal) != "dumb";
}

std::size_t columns_of(std::FILE* stream) {
  winsize size{};
  return ioctl(fileno(stream), TIOCGWINSZ, &size) == 0 && size.ws_col > 1 ? size.ws_col : 80;
}

void add_duration(std::string& line, double seconds) {
  const auto total = static_cast<std::int64_t>(std::min(std::round(seconds), 1e9));
  if (total >= 3600)
    append(line, "{}:{:02}:{:02}", total / 3600, total / 60 % 60, total % 60);
  else
    append(line, "{}:{:02}", total / 60, total % 60);
}

void add_bar(std::string& line, double fraction, int width) {
  const int filled = static_cast<int>(fraction * width);
  const bool done = filled == width;
  append(line, "[{:=<{}}{}{: <{}}]", "", filled, done ? "" : ">", "", done ? 0 : width - filled - 1);
}

// The rate so far, and the time left at that rate (or the time taken, at the end).
void add_rate(std::string& line, std::int64_t first, std::int64_t steps, double total, double seconds) {
  const double rate = static_cast<double>(steps - first) / std::max(seconds, 1e-9);
  if (rate >= 10)
    append(line, "{:.0f} steps/s", rate);
  else
    append(line, "{:.2f} steps/s", rate);
  const double left = total - static_cast<double>(steps);
  append(line, "  {} ", left > 0 ? "ETA" : "in");
  add_duration(line, left > 0 ? left / rate : seconds);
}

// More than an integer may hold, for epochs without end.
double total_steps(const ProgressOptions& o) {
  return static_cast<double>(o.epochs) * static_cast<double>(o.steps_per_epoch);
}

void add_value(std::string& line, std::string_view name, double value) {
  // Four decimals suit losses and accuracies; tiny and huge values keep their digits.
  const double size = std::abs(value);
  if (size != 0 && (size < 1e-3 || size >= 1e5))
    append(line, "  {} {:.3e}", name, value);
  else
    append(line, "  {} {:.4f}", name, value);
}

// At most `width` characters, cut where two blanks divide one value from the next.
std::string_view without_partial_value(std::string_view line, std::size_t width) {
  if (line.size() <= width) return line;
  const std::size_t cut = line.rfind("  ", width);
  return line.substr(0, cut == std::string_view::npos ? width : cut);
}

void print(std::FILE* stream, const std::string& line) {
  std::fwrite(line.data(), 1, line.size(), stream);
  std::fflush(stream);
}

}  // namespace

ProgressBar::ProgressBar(const ProgressOptions& options)
    : options_(options),
      in_place_(options.in_place.value_or(can_rewrite_lines(options.stream))),
      started_(steady_seconds()) {
  if (options.epochs <= 0 || options.steps_per_epoch <= 0) {
    throw Error(formatted("ProgressBar: epochs and steps_per_epoch must be positive: {} and {}", options.epochs,
                          options.steps_per_epoch));
  }
  if (options.first_step < 0) {
    throw Error(formatted("ProgressBar: first_step must be at least 0: {}", options.first_step));
  }
  epoch_ = options.first_step / options.steps_per_epoch;
  steps_ = options.first_step;
  loss_sum_ = options.first_loss_sum;
  samples_ = options.first_samples;
}

ProgressBar::~ProgressBar() {
  if (!line_is_open_) return;
  if (!in_place_) {
    print_epoch();  // the last one of a run that was stopped
    return;
  }
  std::fputc('\n', options_.stream);
  std::fflush(options_.stream);
}

double ProgressBar::seconds() const { return steady_seconds() - started_; }

double ProgressBar::loss() const {
  if (samples_ == 0) return std::numeric_limits<double>::quiet_NaN();
  return loss_sum_ / static_cast<double>(samples_);
}

void ProgressBar::step(double loss, std::int64_t samples) {
  if (mean_is_old_) {
    loss_sum_ = 0;
    samples_ = 0;
    mean_is_old_ = false;
  }
  loss_sum_ += loss * static_cast<double>(samples);
  samples_ += samples;
  ++steps_;
  if (!in_place_) return;
  if (const double now = seconds(); now >= next_draw_) {
    next_draw_ = now + redraw_interval;
    draw_in_place();
  }
}

void ProgressBar::end_epoch(const std::vector<NamedValue>& values) {
  ++epoch_;
  mean_is_old_ = true;
  values_ = values;
  const bool is_last = epoch_ >= options_.epochs;
  if (!in_place_) {
    const std::int64_t stride = (options_.epochs - 1) / most_plain_lines + 1;
    line_is_open_ = !is_last && epoch_ % stride != 0;  // it may yet become the last one
    if (!line_is_open_) print_epoch();
  } else if (is_last || seconds() >= next_draw_) {
    draw_in_place();
  }
}

std::vector<NamedValue> ProgressBar::current_values() const {
  if (!in_epoch() || !options_.values) return values_;
  std::vector<NamedValue> current = options_.values();
  for (const NamedValue& old : values_) {
    const bool is_new = std::ranges::find(current, old.first, &NamedValue::first) == current.end();
    if (is_new) current.push_back(old);
  }
  return current;
}

void ProgressBar::draw_in_place() {
  const double total = total_steps(options_);
  const auto columns = static_cast<int>(columns_of(options_.stream)) - 1;
  std::string line, tail;
  append(line, "epoch {}/{}  ", std::min(epoch_ + (mean_is_old_ ? 0 : 1), options_.epochs), options_.epochs);
  append(tail, "  ");
  add_rate(tail, options_.first_step, steps_, total, seconds());
  add_value(tail, "loss", loss());
  for (const auto& [name, value] : current_values()) add_value(tail, name, value);
  // The bar gives way to the values, and the last values to the width: a line that wraps could not be rewritten.
  const int room = columns - static_cast<int>(line.size() + tail.size()) - 2;
  const double fraction = std::clamp(static_cast<double>(steps_) / total, 0.0, 1.0);
  add_bar(line, fraction, std::clamp(room, shortest_bar, longest_bar));
  line += tail;
  print(options_.stream, formatted("\r{}\x1b[K", without_partial_value(line, static_cast<std::size_t>(columns))));
  line_is_open_ = true;
}

void ProgressBar::print_epoch() {
  std::string line;
  append(line, "epoch {}/{}", epoch_, options_.epochs);
  add_value(line, "loss", loss());
  for (const auto& [name, value] : values_) add_value(line, name, value);
  append(line, "  ");
  add_rate(line, options_.first_step, steps_, total_steps(options_), seconds());
  append(line, "\n");
  print(options_.stream, line);
}

}  // namespace gradus::train
