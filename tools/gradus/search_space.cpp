#include "gradus/search_space.hpp"

#include <fmt/format.h>

#include <cmath>

#include <gradus/error.hpp>

#include "gradus/words.hpp"

namespace gradus::tool {
namespace {

// In [0, 1), of the 53 bits that a double holds.
double uniform(Generator& generator) { return static_cast<double>(generator.next() >> 11U) * 0x1p-53; }

}  // namespace

std::string Dimension::at(double place) const {
  const double value = log ? low * std::pow(high / low, place) : low + (high - low) * place;
  // As short as one would type it: three digits say all that a search can tell.
  return whole ? fmt::format("{}", std::llround(value)) : fmt::format("{:.3g}", value);
}

std::vector<std::string> Dimension::grid(std::int64_t points) const {
  if (!choices.empty()) return choices;
  std::vector<std::string> values;
  for (std::int64_t i = 0; i < points; ++i) {
    const std::string value = at(points == 1 ? 0.5 : static_cast<double>(i) / static_cast<double>(points - 1));
    if (values.empty() || values.back() != value) values.push_back(value);
  }
  return values;
}

std::string Dimension::draw(Generator& generator) const {
  if (choices.empty()) return at(uniform(generator));
  return choices[static_cast<std::size_t>(generator.below(choices.size()))];
}

Dimension parse_dimension(const std::string& name, const std::string& text, bool whole) {
  Dimension dimension{.name = name, .text = text, .choices = {}, .whole = whole};
  const std::string what = "--" + name + ": " + text;
  if (text.find(':') == std::string::npos) {
    dimension.choices = split(text, ',');
    return dimension;
  }
  const std::vector<std::string> parts = split(text, ':');
  if (parts.size() > 3 || (parts.size() == 3 && parts[2] != "log" && parts[2] != "linear"))
    throw Error(what + ": neither a list a,b,c nor a range low:high or low:high:log");
  dimension.low = to_number(what, parts[0]);
  dimension.high = to_number(what, parts[1]);
  dimension.log = parts.size() == 3 && parts[2] == "log";
  if (!(dimension.low <= dimension.high)) throw Error(what + ": the range ends before it begins");
  if (dimension.log && !(dimension.low > 0)) throw Error(what + ": a logarithmic range begins above 0");
  return dimension;
}

std::vector<Choice> grid_of(const std::vector<Dimension>& space, std::int64_t points) {
  std::vector<Choice> choices = {{}};
  for (const Dimension& dimension : space) {
    std::vector<Choice> longer;
    for (const Choice& choice : choices) {
      for (const std::string& value : dimension.grid(points)) {
        longer.push_back(choice);
        longer.back().push_back(value);
      }
    }
    choices = std::move(longer);
  }
  return choices;
}

std::vector<Choice> draws_of(const std::vector<Dimension>& space, std::int64_t count, std::uint64_t seed) {
  Generator generator(seed);
  std::vector<Choice> choices(static_cast<std::size_t>(count));
  for (Choice& choice : choices) {
    for (const Dimension& dimension : space) choice.push_back(dimension.draw(generator));
  }
  return choices;
}

TrainingOptions apply(const TrainingOptions& options, const std::vector<Dimension>& space, const Choice& choice) {
  TrainingOptions changed = options;
  for (std::size_t i = 0; i < space.size(); ++i) {
    const std::string &name = space[i].name, &value = choice[i], what = "--" + name;
    if (name == "lr") changed.optimizer.lr = to_number(what, value);
    if (name == "weight-decay") changed.optimizer.weight_decay = to_number(what, value);
    if (name == "momentum") changed.optimizer.momentum = to_number(what, value);
    if (name == "dropout") changed.model.dropout = to_number(what, value);
    if (name == "batch-size") changed.batch_size = to_whole_number(what, value);
    if (name == "optimizer") changed.optimizer.name = value;
    if (name == "activation") changed.model.activation = value;
    if (name == "schedule") changed.schedule = value;
    if (name == "hidden") changed.model.hidden = value;
    if (name == "depth") {
      const std::int64_t depth = to_whole_number(what, value);
      if (depth < 1 || depth > 100) throw Error(fmt::format("--depth: not from 1 to 100: {}", depth));
      changed.model.hidden = join(std::vector<std::string>(static_cast<std::size_t>(depth), changed.model.hidden), ",");
    }
  }
  if (changed.batch_size < 1) throw Error(fmt::format("--batch-size: must be positive: {}", changed.batch_size));
  return changed;
}

}  // namespace gradus::tool
