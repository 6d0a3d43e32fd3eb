// What a search chooses from: ranges and lists by the names of options.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <gradus/random.hpp>

#include "gradus/options.hpp"

namespace gradus::tool {

// "16,32,64" is a list; "1e-4:1e-1" a range, "1e-4:1e-1:log" one with a logarithmic scale.
struct Dimension {
  std::string name;  // "lr", as the option without its dashes
  std::string text;
  std::vector<std::string> choices;  // of a list; empty: a range
  double low = 0, high = 0;
  bool log = false;
  bool whole = false;

  // The value at a place between 0 and 1.
  std::string at(double place) const;
  // All of a list; `points` values of a range, both ends included.
  std::vector<std::string> grid(std::int64_t points) const;
  std::string draw(Generator& generator) const;
};

// Throws "--lr: ..." if the text is neither.
Dimension parse_dimension(const std::string& name, const std::string& text, bool whole);

// One value per dimension.
using Choice = std::vector<std::string>;
std::vector<Choice> grid_of(const std::vector<Dimension>& space, std::int64_t points);
std::vector<Choice> draws_of(const std::vector<Dimension>& space, std::int64_t count, std::uint64_t seed);

// The options with these values in the place of their own. Throws if a value is none of that option.
TrainingOptions apply(const TrainingOptions& options, const std::vector<Dimension>& space, const Choice& choice);

}  // namespace gradus::tool
