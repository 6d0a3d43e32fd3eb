// Averages of weights over training, which often do better than the last weights.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gradus/factory.hpp"
#include "gradus/nn/module.hpp"

namespace gradus::optim {

struct AveragedModelOptions {
  std::optional<double> decay = {};  // of an exponential moving average; without it, all models count the same
  bool use_buffers = false;          // average buffers too, not copy the last ones
};

namespace detail {

void check(const AveragedModelOptions& options);
// One more model goes into the average of `count` models.
void update_average(nn::Module& average, const nn::Module& model, std::int64_t count,
                    const AveragedModelOptions& options);

}  // namespace detail

// A copy of a model whose parameters are the average of those that update_parameters() has seen: the n-th does
// a += (p - a) / n, or with a decay a = decay * a + (1 - decay) * p, after a first a = p. It evaluates by itself,
// `averaged(x)` or `averaged.module`, or lends its weights to the model through SwapWeights; state_dict() has PyTorch's
// keys, "module.<name>" and "n_averaged".
// [Izmailov et al., Averaging weights leads to wider optima and better generalization, UAI 2018]
template <class Model>
class AveragedModel : public nn::Module {
 public:
  // Throws unless the decay is in [0, 1].
  explicit AveragedModel(const Model& model, const AveragedModelOptions& options = {})
      : module(model), n_averaged(zeros({}, {.dtype = int64})), options_(options) {
    detail::check(options);
  }

  // Throws, and changes nothing, if the names or shapes are not those of the average.
  void update_parameters(const Model& model) {
    detail::update_average(module, model, n_averaged.template item<std::int64_t>(), options_);
    n_averaged.add_(1);
  }

  Tensor forward(const Tensor& x) override { return module.forward(x); }

  Model module;
  nn::Buffer n_averaged;
  GRADUS_MODULE(n_averaged, module)

 private:
  AveragedModelOptions options_;
};

// While it lives, `model` has the weights and buffers of `other`; then it has its own again, bit for bit. What happens
// to them in between is lost.
//   { optim::SwapWeights guard(model, averaged.module); loss = evaluate(model); }
class SwapWeights {
 public:
  // Throws, and changes nothing, unless both have the same names and shapes.
  SwapWeights(nn::Module& model, const nn::Module& other);
  ~SwapWeights();
  SwapWeights(const SwapWeights&) = delete;
  SwapWeights& operator=(const SwapWeights&) = delete;

 private:
  std::vector<std::pair<Tensor, Tensor>> weights_;  // the model's, and what they were
};

}  // namespace gradus::optim
