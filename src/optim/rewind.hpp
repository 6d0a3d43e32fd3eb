#pragma once

#include <cstdint>
#include <vector>

#include "gradus/optim/optimizer.hpp"

namespace gradus::optim {

// Lets an optimizer go on from where it is, on copies of its state, and takes all steps back in the end: parameters,
// gradients, state, rates and counters. Until then no gradient is an error.
class Rewind {
 public:
  explicit Rewind(Optimizer& optimizer);
  ~Rewind();
  Rewind(const Rewind&) = delete;
  Rewind& operator=(const Rewind&) = delete;

 private:
  struct Before {
    Tensor values, grad;
    State state;
  };

  Optimizer& optimizer_;
  std::vector<Before> before_;
  std::vector<double> rates_;
  std::int64_t skipped_steps_;
  bool tracks_updates_;
  NonFinite nonfinite_;
};

}  // namespace gradus::optim
