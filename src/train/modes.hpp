// Puts back what a run switches over.
#pragma once

#include <utility>
#include <vector>

#include "gradus/nn/module.hpp"

namespace gradus::train {

// Remembers which modules train and which evaluate, and sets them so in the end.
class Modes {
 public:
  explicit Modes(nn::Module& model) {
    for (nn::Module* module : model.modules()) modes_.emplace_back(module, module->is_training());
  }
  ~Modes() {
    // train() reaches inside: each module comes before those inside it.
    for (const auto& [module, mode] : modes_) module->train(mode);
  }
  Modes(const Modes&) = delete;
  Modes& operator=(const Modes&) = delete;

 private:
  std::vector<std::pair<nn::Module*, bool>> modes_;
};

}  // namespace gradus::train
