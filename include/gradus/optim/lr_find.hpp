// Which learning rate? A short run in which it grows from step to step says where the loss falls and where it bursts.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "gradus/optim/optimizer.hpp"

namespace gradus::optim {

struct LRFindOptions {
  double start_lr = 1e-7;
  double end_lr = 10;
  std::int64_t steps = 100;
  double divergence = 4;   // the smoothed loss has diverged above so many times its least value; infinity: never
  double smoothing = 0.7;  // how much a neighbour counts for: 0 takes each loss as it is
};

struct LRFindResult {
  std::vector<double> lrs;            // start_lr * (end_lr / start_lr)^(k / (steps - 1)), up to the divergence
  std::vector<double> losses;         // after the step with that rate
  std::vector<double> smoothed;       // each with its neighbours of both sides, so that nothing is late
  std::optional<double> suggestion;   // where the smoothed loss falls most steeply per log(lr); none if it never falls
  std::optional<double> diverged_at;  // the rate with which the loss burst, or became NaN
};

// The learning rate range test. Trains for up to `steps` steps while the rate grows geometrically, then takes all of it
// back: parameters, gradients, the optimizer's state and its rates are as they were, bit for bit, also if the closure
// throws. (Not taken back: the batches and random numbers that the closure draws, and buffers that it changes.) The
// rates are those of group 0; the others keep their ratio to it. The closure does zero_grad, forward and backward, and
// returns the loss; fresh batches make the better test. Gradients that are not finite are no error during the sweep,
// whatever set_nonfinite() says: they tell where it ends. Throws unless 0 < start_lr < end_lr, steps >= 2, divergence >
// 1 and smoothing is in [0, 1). [Smith, Cyclical learning rates for training neural networks, WACV 2017]
LRFindResult lr_find(Optimizer& optimizer, Closure closure, const LRFindOptions& options = {});

// "lr,loss,smoothed" and a line for each rate, with all digits.
std::string to_csv(const LRFindResult& result);
// The same as a file that is there whole or not at all. Throws naming the path.
void save_csv(const LRFindResult& result, const std::string& path);
// The suggestion in a sentence, and the curve as a picture of characters.
std::string to_string(const LRFindResult& result);

}  // namespace gradus::optim
