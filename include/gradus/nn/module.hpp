// Module: names and owns parameters, and composes ops.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "gradus/nn/members.hpp"
#include "gradus/nn/parameter.hpp"
#include "gradus/tensor.hpp"

namespace gradus::nn {

struct LoadStateOptions {
  bool strict = true;  // throw if a key is missing or unexpected
};

// The base of layers and models. A module is a value: a copy is an independent model with the same weights, and
// assigning one model to another rewrites the weights in place. A class lists its members in GRADUS_MODULE(...).
class Module {
 public:
  Module() = default;
  Module(const Module&) = default;
  Module(Module&&) noexcept = default;
  Module& operator=(const Module&) = default;
  Module& operator=(Module&&) noexcept = default;
  virtual ~Module() = default;

  // The module's function of one tensor. Throws unless the class defines it.
  virtual Tensor forward(const Tensor& x);
  Tensor operator()(const Tensor& x) { return forward(x); }

  // Handles that share memory and gradient with the members, in the order in which these are listed.
  std::vector<Tensor> parameters() const;
  std::vector<std::pair<std::string, Tensor>> named_parameters() const;
  std::vector<Tensor> buffers() const;
  std::vector<std::pair<std::string, Tensor>> named_buffers() const;

  // Training or evaluation, for layers that differ (dropout). What requires a gradient stays as it is.
  Module& train(bool mode = true);
  Module& eval() { return train(false); }
  bool is_training() const { return training_; }

  void zero_grad();

  // All parameters and buffers by name. As in PyTorch they share memory with the module: clone() what shall not change.
  std::map<std::string, Tensor> state_dict() const;
  // Copies values into the members of these names. Throws one Error that lists all missing and unexpected keys and all
  // wrong shapes; then nothing has been changed.
  void load_state_dict(const std::map<std::string, Tensor>& state, const LoadStateOptions& options = {});

  // What GRADUS_MODULE defines. A class without it has no members.
  virtual void visit_members(MemberVisitor& visitor, const MemberPath& path);

 private:
  void visit(MemberVisitor& visitor) const;

  bool training_ = true;
};

}  // namespace gradus::nn
