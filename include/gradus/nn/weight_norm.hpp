// Weight norm: the length and the direction of a weight are learnt apart.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "gradus/nn/module.hpp"

namespace gradus::nn {

// What WeightNorm does with a module of any class.
class WeightNormBase : public Module {
 public:
  Tensor forward(const Tensor& x) override;

  // g v / ||v||, the weight that the module works with.
  Tensor weight() const;

  Parameter weight_g;
  Parameter weight_v;
  void visit_members(MemberVisitor& visitor, const MemberPath& path) override;

 protected:
  WeightNormBase(std::string name, std::optional<std::int64_t> dim);
  void take_weight(Module& module);
  void give_weight_back(Module& module) const;

 private:
  virtual Module& inner() = 0;

  std::string name_, name_of_g_, name_of_v_;
  std::optional<std::int64_t> dim_;
};

// A module whose weight w is g v / ||v|| [Salimans and Kingma, 2016]: g has the lengths of the slices of w along dim,
// or without dim that of all of w. Names are PyTorch's: those of the module, where w's makes place for weight_g and
// weight_v. Make one by weight_norm. Throws unless the module itself has a parameter of this name.
template <class M>
class WeightNorm final : public WeightNormBase {
 public:
  explicit WeightNorm(M normed, std::string name = "weight", std::optional<std::int64_t> dim = 0)
      : WeightNormBase(std::move(name), dim), module(std::move(normed)) {
    take_weight(module);
  }

  // The plain module, with the weight that g and v make now.
  M plain() const {
    M result = module;
    give_weight_back(result);
    if (result.is_training() != is_training()) result.train(is_training());
    return result;
  }

  M module;  // its own weight is that of the last call, and not trained

 private:
  Module& inner() override { return module; }
};

}  // namespace gradus::nn

namespace gradus {

// The module with its weight in two parts: weight_norm(nn::Linear(4, 8)), or of another name and dim.
template <class M>
nn::WeightNorm<M> weight_norm(M module, std::string name = "weight", std::optional<std::int64_t> dim = 0) {
  return nn::WeightNorm<M>(std::move(module), std::move(name), dim);
}

// The plain module again, with the same weight.
template <class M>
M remove_weight_norm(const nn::WeightNorm<M>& module) {
  return module.plain();
}

}  // namespace gradus
