// A page to play with: how optimizers go down a surface, by learning rate, momentum and number of steps.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "gradus/problems.hpp"

namespace gradus::train {

struct LandscapeOptions {
  std::int64_t steps = 100;                  // of each path; the page shows up to so many
  std::vector<double> learning_rates = {};   // ascending; default: 13 a decade, among them 0.05, 0.25 and 0.85
  std::vector<double> momenta = {};          // ascending, in [0, 1); default: seven, among them 0 and 0.85
  std::vector<std::string> optimizers = {};  // default: all of sgd, nesterov, adagrad, rmsprop, adam and lion
  // What the page shows at first, where the lists above have it.
  std::optional<double> learning_rate = {};  // default: that by which the first way shown ends lowest
  double momentum = 0;
  std::int64_t shown_steps = 30;
};

// bowl(1, 4) as courses draw it: from (2.8, 2.2), on [-3.5, 3.5] x [-3.5, 3.5].
problems::Problem course_bowl();

// One HTML document with contour map, path, loss curve and sliders. Every path in it was taken by the library's own
// optimizers, for the whole grid of settings; the page fetches nothing. Paths end where they leave a box three times as
// wide as the map. Throws unless the problem has two dimensions, a domain and a start, and the options make sense:
// the start lies on the map, no optimizer is named twice.
std::string landscape_page(const problems::Problem& problem, const LandscapeOptions& options = {});
// Replaces the file as a whole or, on an error, leaves it as it was.
void save_landscape_page(const problems::Problem& problem, const std::string& path,
                         const LandscapeOptions& options = {});

}  // namespace gradus::train
