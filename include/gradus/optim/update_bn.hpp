// Running statistics for weights that were averaged: those of the weights on the way do not fit them.
#pragma once

#include <concepts>
#include <optional>
#include <utility>
#include <vector>

#include "gradus/autograd.hpp"
#include "gradus/nn/batch_norm.hpp"
#include "gradus/nn/module.hpp"

namespace gradus::optim {

namespace detail {

// While it lives, a model is in training mode and its batch norms take plain averages, from nothing on; then they have
// their momentum again, and each module its mode.
class FreshStatistics {
 public:
  explicit FreshStatistics(nn::Module& model);
  ~FreshStatistics();
  FreshStatistics(const FreshStatistics&) = delete;
  FreshStatistics& operator=(const FreshStatistics&) = delete;

  bool needed() const { return !norms_.empty(); }

 private:
  std::vector<std::pair<nn::BatchNorm*, std::optional<double>>> norms_;  // and their momentum
  std::vector<std::pair<nn::Module*, bool>> modes_;                      // each module before those inside it
};

}  // namespace detail

// Computes the running statistics of all batch norms of a model anew, as averages over `batches`: one pass in training
// mode, without recording. Batches are a range of inputs, or of what has its input in a member x: a
// std::vector<Tensor>, a data::DataLoader. A model without batch norms is not run.
//   optim::update_bn(loader, averaged);
// [Izmailov et al., Averaging weights leads to wider optima and better generalization, UAI 2018]
template <class Batches>
void update_bn(Batches&& batches, nn::Module& model) {
  const detail::FreshStatistics fresh(model);
  if (!fresh.needed()) return;
  const NoGrad guard;
  for (auto&& batch : batches) {
    if constexpr (std::convertible_to<decltype(batch), const Tensor&>)
      model(batch);
    else
      model(batch.x);
  }
}

}  // namespace gradus::optim
