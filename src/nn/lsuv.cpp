#include "gradus/nn/lsuv.hpp"

#include <cmath>

#include "gradus/autograd.hpp"
#include "gradus/nn/init.hpp"
#include "gradus/ops.hpp"
#include "storage/format.hpp"

namespace gradus::nn::init {
namespace {

// The weight and the bias of a module itself, not of modules inside.
struct OwnWeights final : MemberVisitor {
  Tensor weight, bias;
  void parameter(const MemberPath& path, Parameter& p) override {
    if (path.name == "weight" && p.dim() >= 2) weight = p;
    if (path.name == "bias") bias = p;
  }
  void module(const MemberPath&, Module&) override {}
};

OwnWeights own_weights(Module& module) {
  OwnWeights visitor;
  module.visit_members(visitor, {});
  return visitor;
}

struct Walk {
  const LsuvOptions& options;
  std::vector<double> variances;

  Tensor run(Module& module, const Tensor& x) {
    if (auto* const list = dynamic_cast<Sequential*>(&module)) return run_each(*list, x);
    OwnWeights own = own_weights(module);
    return own.weight.defined() ? run_layer(module, own, x) : module(x);
  }

  Tensor run_each(Sequential& list, const Tensor& x) {
    Tensor h = x;
    for (std::int64_t i = 0; i < list.size(); ++i) h = run(list[i], h);
    return h;
  }

  Tensor run_layer(Module& layer, OwnWeights& own, const Tensor& x) {
    if (options.orthogonal) {
      orthogonal_(own.weight, {.generator = options.generator});
      if (own.bias.defined()) zeros_(own.bias);
    }
    Tensor y = layer(x);
    double variance = variance_of(y);
    for (std::int64_t trial = 0; trial < options.max_trials && std::abs(variance - 1) >= options.tolerance; ++trial) {
      own.weight.div_(std::sqrt(variance));
      y = layer(x);
      variance = variance_of(y);
    }
    variances.push_back(variance);
    return y;
  }

  double variance_of(const Tensor& y) const {
    const double variance = var(y, {}, {.correction = 0}).item();
    if (!std::isfinite(variance) || variance == 0) {
      fail("lsuv_: the output {} of layer {} has variance {}", y.shape(), variances.size(), variance);
    }
    return variance;
  }
};

}  // namespace

std::vector<double> lsuv_(Sequential& model, const Tensor& batch, const LsuvOptions& options) {
  if (!(options.tolerance > 0)) fail("lsuv_: tolerance must be above 0, got {}", options.tolerance);
  if (options.max_trials < 0) fail("lsuv_: max_trials must be at least 0, got {}", options.max_trials);
  NoGrad guard;
  Walk walk{options, {}};
  walk.run_each(model, batch);
  return std::move(walk.variances);
}

}  // namespace gradus::nn::init
