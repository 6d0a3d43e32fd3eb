#include "gradus/train/fit.hpp"

#include "train/loop.hpp"

namespace gradus::train {

History fit(nn::Module& model, const LossFunction& loss, optim::Optimizer& optimizer, const data::Dataset& train,
            const data::Dataset& valid, const FitOptions& options) {
  return Loop(model, loss, optimizer, train, &valid, options).run();
}

History fit(nn::Module& model, const LossFunction& loss, optim::Optimizer& optimizer, const data::Dataset& train,
            const FitOptions& options) {
  return Loop(model, loss, optimizer, train, nullptr, options).run();
}

}  // namespace gradus::train
