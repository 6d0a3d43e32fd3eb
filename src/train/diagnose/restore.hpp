// Takes back whatever happens to a model in its scope.
#pragma once

#include <optional>
#include <vector>

#include "gradus/nn/module.hpp"
#include "gradus/optim/optimizer.hpp"
#include "gradus/random.hpp"
#include "optim/rewind.hpp"
#include "train/modes.hpp"

namespace gradus::train::doctor {

// Parameters, buffers, gradients, modes, the default generator and, if there is one, the optimizer are in the end as
// they were, bit for bit. Meanwhile there are no gradients.
class Restore {
 public:
  Restore(nn::Module& model, optim::Optimizer* optimizer);
  ~Restore();
  Restore(const Restore&) = delete;
  Restore& operator=(const Restore&) = delete;

 private:
  struct Kept {
    Tensor tensor, values, grad;
  };

  std::vector<Kept> kept_;
  Generator generator_;
  Modes modes_;
  std::optional<optim::Rewind> optimizer_;  // the last: it is taken back first
};

}  // namespace gradus::train::doctor
