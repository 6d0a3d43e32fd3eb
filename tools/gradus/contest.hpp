// Configurations that run side by side, several seeds each, and what came out of it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <gradus/problems.hpp>

#include "gradus/options.hpp"

namespace gradus::tool {

struct Contestant {
  std::string label;
  OptimizerOptions optimizer;
  std::int64_t batch_size = 32;
};

// One run of a contestant.
struct Heat {
  std::vector<double> losses;             // per step on a surface, of the validation set per epoch on data
  std::vector<double> scores;             // on data: accuracy or R2 per epoch
  std::vector<std::vector<double>> path;  // on a surface: the points
  std::int64_t first_step = 0;            // that of the first value
  std::int64_t steps_per_value = 1;       // from one value to the next
  double seconds = 0;
};

struct Standing {
  Contestant contestant;
  std::vector<Heat> heats;  // by seed
};

struct SurfaceRace {
  std::int64_t steps = 500;
  std::int64_t seeds = 1;
};

// From the problem's start, and for seeds above the first from a point near it. A run ends where it diverges: its last
// loss is then infinite.
Standing race(const Contestant& contestant, const problems::Problem& problem, const SurfaceRace& options);
// Throws what a race would before any has begun.
void check_race(const Contestant& contestant, const problems::Problem& problem);
void check_race(const Contestant& contestant, const TrainingOptions& options, const Data& data);
// The seed decides on split, weights and order alike.
Standing race(const Contestant& contestant, const TrainingOptions& options, std::int64_t seeds);

// Mean and (n - 1) standard deviation; the latter is NaN for one value alone.
struct Summary {
  double mean = 0;
  double std = 0;
};
Summary summary_of(const std::vector<double>& values);
// The steps after which a run had a loss that was no larger, or a score no less; NaN if it never had.
double steps_to_loss(const Heat& heat, double target);
double steps_to_score(const Heat& heat, double target);

}  // namespace gradus::tool
