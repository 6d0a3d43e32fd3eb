#include "gradus/train/landscape_page.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <string_view>
#include <utility>

#include "gradus/error.hpp"
#include "gradus/factory.hpp"
#include "gradus/functional.hpp"
#include "plot/style.hpp"
#include "plot/svg.hpp"
#include "storage/atomic_file.hpp"
#include "storage/format.hpp"
#include "train/landscape/descents.hpp"
#include "train/landscape/map.hpp"
#include "train/landscape/packing.hpp"

namespace gradus::train {

// The files page.html, page.css and page.js of this folder.
extern const std::string_view landscape_html, landscape_css, landscape_js;

namespace {

using Json = nlohmann::ordered_json;

struct Target {
  double x = 0, y = 0, value = 0;
};

std::vector<double> default_learning_rates(double lowest) {
  std::vector<double> rates;
  for (double decade = lowest; decade < 0.5; decade *= 10) {
    // Evenly spaced logarithms, nearly, and round numbers.
    for (const double part : {1.0, 1.2, 1.5, 1.8, 2.1, 2.5, 3.0, 3.5, 4.2, 5.0, 6.0, 7.2, 8.5}) {
      rates.push_back(std::stod(formatted("{:.5g}", part * decade)));
    }
  }
  rates.push_back(1);
  return rates;
}

// The largest eigenvalue of the Hessian, if there is one and it is positive.
std::optional<double> sharpness(const problems::Problem& problem, const Tensor& point) {
  if (!problem.smooth || problem.noisy) return {};
  const double largest = largest_hessian_eigenvalue(problem.f, point);
  return largest > 1e-6 ? std::optional(largest) : std::nullopt;
}

// On steep surfaces the rates that work are small.
double lowest_learning_rate(const problems::Problem& problem) {
  const auto steepest = sharpness(problem, problem.starts.front());
  return steepest && *steepest > 400 ? 1e-4 : 1e-3;
}

LandscapeOptions completed(const problems::Problem& problem, LandscapeOptions options) {
  if (options.learning_rates.empty()) options.learning_rates = default_learning_rates(lowest_learning_rate(problem));
  if (options.momenta.empty()) options.momenta = {0, 0.5, 0.7, 0.85, 0.9, 0.95, 0.99};
  return options;
}

bool ascends(const std::vector<double>& values) {
  return std::ranges::is_sorted(values, std::less_equal<>()) && std::isfinite(values.back());
}

// Each path has at least its start.
bool can_start(const problems::Problem& problem, const Tensor& start) {
  if (!start.defined() || start.shape() != Shape{2} || start.dtype() != float64) return false;
  return std::ranges::all_of(start.data<double>(), [](double x) { return std::isfinite(x); }) &&
         std::isfinite(problem(start).item());
}

// From afar most paths end at once, and none would be seen.
void check_on_map(const problems::Problem& problem, const Tensor& start) {
  const auto at = start.data<double>();
  const auto& [x, y] = *problem.domain;
  if (at[0] >= x[0] && at[0] <= x[1] && at[1] >= y[0] && at[1] <= y[1]) return;
  throw Error(formatted("landscape_page: the start ({}, {}) is outside the domain [{}, {}] x [{}, {}] of {}", at[0],
                        at[1], x[0], x[1], y[0], y[1], problem.name));
}

void check(const problems::Problem& problem, const LandscapeOptions& o) {
  if (problem.dimension != 2 || !problem.domain || problem.starts.empty()) {
    throw Error(
        formatted("landscape_page: a problem of two dimensions with a domain and a start is needed: {}", problem.name));
  }
  if (!std::ranges::all_of(problem.starts, [&](const Tensor& start) { return can_start(problem, start); })) {
    throw Error("landscape_page: a start must be a point (2,) in float64 of finite loss");
  }
  for (const Tensor& start : problem.starts) check_on_map(problem, start);
  if (o.steps < 1 || o.steps > 10000) {
    throw Error(formatted("landscape_page: steps must be between 1 and 10000: {}", o.steps));
  }
  if (!o.learning_rates.empty() && !(o.learning_rates.front() > 0 && ascends(o.learning_rates))) {
    throw Error("landscape_page: learning_rates must be positive, finite and ascending");
  }
  if (!o.momenta.empty() && !(o.momenta.front() >= 0 && ascends(o.momenta) && o.momenta.back() < 1)) {
    throw Error("landscape_page: momenta must be in [0, 1) and ascending");
  }
}

std::vector<Rule> chosen_rules(const std::vector<std::string>& keys) {
  if (keys.empty()) return rules();
  std::vector<Rule> chosen;
  for (const std::string& key : keys) {
    const auto found = std::ranges::find(rules(), key, &Rule::key);
    if (found == rules().end()) throw Error(formatted("landscape_page: there is no such optimizer: {}", key));
    if (std::ranges::find(chosen, key, &Rule::key) != chosen.end())
      throw Error(formatted("landscape_page: an optimizer is named twice: {}", key));
    chosen.push_back(*found);
  }
  return chosen;
}

// The points from which distances are measured. Without a minimum, a saddle must do.
std::vector<Target> targets_of(const problems::Problem& problem) {
  const auto at = [](const Tensor& point, double value) {
    return Target{point.data<double>()[0], point.data<double>()[1], value};
  };
  std::vector<Target> targets;
  for (const problems::Minimum& minimum : problem.minima) targets.push_back(at(minimum.point, minimum.value));
  if (targets.empty()) targets.push_back(problem.saddles.empty() ? Target{} : at(problem.saddles.front(), 0));
  return targets;
}

problems::Domain widened(const problems::Domain& domain, double factor) {
  const auto wide = [&](const std::array<double, 2>& range) {
    const double middle = (range[0] + range[1]) / 2, half = factor * (range[1] - range[0]) / 2;
    return std::array{middle - half, middle + half};
  };
  return {wide(domain.x), wide(domain.y)};
}

// What the page shows at first, where nobody says: a rate that works.
double opening_rate(const problems::Problem& problem, const LandscapeOptions& o) {
  if (o.learning_rate) return *o.learning_rate;
  const auto distance = [&](double momentum) { return std::abs(momentum - o.momentum); };
  const DescentSettings settings{.momentum = *std::ranges::min_element(o.momenta, {}, distance),
                                 .steps = std::min(o.shown_steps, o.steps)};
  return best_learning_rate(o.learning_rates, problem, chosen_rules(o.optimizers).front(), problem.starts.front(),
                            widened(*problem.domain, 3), settings);
}

// Paths, in words of 16 bits: first two for each path, then its curves.
class Paths {
 public:
  Paths(const problems::Problem& problem, const LandscapeOptions& options)
      : problem_(problem), steps_(options.steps), targets_(targets_of(problem)), box_(widened(*problem.domain, 3)) {
    for (const Tensor& start : problem.starts) {
      for (const Rule& rule : chosen_rules(options.optimizers)) {
        for (const double momentum : rule.momentum.empty() ? std::vector<double>{0} : options.momenta) {
          for (const double lr : options.learning_rates) add(start, rule, lr, momentum);
        }
      }
    }
  }

  std::size_t count() const { return heads_.size() / 2; }

  std::string text() const {
    std::vector<std::uint16_t> words = heads_;
    words.insert(words.end(), curves_.begin(), curves_.end());
    return packed(words);
  }

 private:
  void add(const Tensor& start, const Rule& rule, double lr, double momentum) {
    const Descent way = descend(problem_, rule, start, box_, {.lr = lr, .momentum = momentum, .steps = steps_});
    const std::size_t nearest = nearest_target(way.x.back(), way.y.back());
    const Target& target = targets_[nearest];
    heads_.push_back(static_cast<std::uint16_t>(way.x.size() | (way.left ? 0x8000u : 0u)));
    heads_.push_back(static_cast<std::uint16_t>(nearest));
    append_difference(way.x, target.x);
    append_difference(way.y, target.y);
    append_difference(way.loss, target.value);
  }

  std::size_t nearest_target(double x, double y) const {
    const auto distance = [&](const Target& target) { return std::hypot(target.x - x, target.y - y); };
    return static_cast<std::size_t>(std::ranges::min_element(targets_, {}, distance) - targets_.begin());
  }

  void append_difference(const std::vector<double>& values, double origin) {
    std::vector<std::int16_t> codes;
    for (const double value : values) codes.push_back(log_code(value - origin));
    append_curve(curves_, codes);
  }

  const problems::Problem& problem_;
  std::int64_t steps_;
  std::vector<Target> targets_;
  problems::Domain box_;
  std::vector<std::uint16_t> heads_, curves_;
};

// What bounds the learning rate of plain descent: everywhere if the problem knows, else near its minimum.
Json curvature_of(const problems::Problem& problem) {
  if (problem.curvature) return {{"largest", problem.curvature->largest}, {"where", ""}};
  if (problem.minima.empty()) return nullptr;
  const Tensor& minimum = problem.minima.front().point;
  const auto largest = sharpness(problem, minimum);
  if (!largest) return nullptr;
  const auto at = minimum.data<double>();
  return {{"largest", *largest}, {"where", formatted(" at the minimum ({:.3g}, {:.3g})", at[0], at[1])}};
}

Json data_of(const problems::Problem& problem, const LandscapeOptions& options, const MapFrame& frame,
             std::size_t count) {
  Json rule_list = Json::array(), starts = Json::array(), targets = Json::array();
  for (const Rule& rule : chosen_rules(options.optimizers)) {
    rule_list.push_back({{"key", rule.key}, {"name", rule.name}, {"momentum", rule.momentum}});
  }
  for (const Tensor& start : problem.starts) starts.push_back({start.data<double>()[0], start.data<double>()[1]});
  for (const Target& target : targets_of(problem)) targets.push_back({{"x", target.x}, {"y", target.y}});
  return {{"name", problem.name},
          {"count", count},
          {"codesPerDecade", codes_per_decade},
          {"rules", rule_list},
          {"lrs", options.learning_rates},
          {"momenta", options.momenta},
          {"starts", starts},
          {"targets", targets},
          {"lowest", problem.minima.empty() ? Json(nullptr) : Json(problem.minima.front().value)},
          {"curvature", curvature_of(problem)},
          {"steps", options.steps},
          {"lr", opening_rate(problem, options)},
          {"momentum", options.momentum},
          {"shown", std::min(options.shown_steps, options.steps)},
          {"map",
           {{"left", frame.left},
            {"top", frame.top},
            {"width", frame.width},
            {"height", frame.height},
            {"x", frame.domain.x},
            {"y", frame.domain.y}}}};
}

// Nothing in a JSON text may close the script element around it.
std::string in_script(const Json& json) {
  std::string text;
  for (const char c : json.dump(-1, ' ', false, Json::error_handler_t::replace))
    text += c == '<' ? std::string("\\u003c") : std::string(1, c);
  return text;
}

std::string filled(std::string_view page, const std::vector<std::pair<std::string_view, std::string_view>>& parts) {
  std::string result;
  while (true) {
    const std::size_t open = page.find("{{");
    result += page.substr(0, open);
    if (open == std::string_view::npos) return result;
    const std::size_t close = page.find("}}", open);
    const std::string_view name = page.substr(open + 2, close - open - 2);
    result += std::ranges::find(parts, name, &std::pair<std::string_view, std::string_view>::first)->second;
    page.remove_prefix(close + 2);
  }
}

}  // namespace

problems::Problem course_bowl() {
  problems::Problem problem = problems::bowl(1, 4);
  const auto point = [](double x, double y) { return tensor({x, y}, {.dtype = float64}); };
  problem.starts = {point(2.8, 2.2), point(-3, 0.2), point(0.2, -3)};
  problem.domain = problems::Domain{{-3.5, 3.5}, {-3.5, 3.5}};
  return problem;
}

std::string landscape_page(const problems::Problem& problem, const LandscapeOptions& wishes) {
  check(problem, wishes);
  const LandscapeOptions options = completed(problem, wishes);
  const Paths paths(problem, options);
  const MapFrame frame = map_frame(*problem.domain);
  const std::string title = plot::escaped(problem.name), map = map_svg(problem, frame), text = paths.text(),
                    data = in_script(data_of(problem, options, frame, paths.count())),
                    count = formatted("{}", paths.count());
  return filled(landscape_html, {{"title", title},
                                 {"figure_style", plot::figure_style},
                                 {"style", landscape_css},
                                 {"count", count},
                                 {"map", map},
                                 {"data", data},
                                 {"paths", text},
                                 {"script", landscape_js}});
}

void save_landscape_page(const problems::Problem& problem, const std::string& path, const LandscapeOptions& options) {
  write_atomically("save_landscape_page", path, landscape_page(problem, options));
}

}  // namespace gradus::train
