#include "functional/recorded.hpp"

#include <utility>

#include "autograd/record.hpp"
#include "gradus/autograd.hpp"
#include "gradus/factory.hpp"
#include "gradus/ops.hpp"

namespace gradus::functional {
namespace {

void check_floating(const char* name, const Tensor& x) {
  if (!is_floating_point(x.dtype())) fail("{}: a floating dtype is needed, got {}", name, x.dtype());
}

Tensor argument(const char* name, const Tensor& x, bool create_graph) {
  check_floating(name, x);
  if (!create_graph || !x.requires_grad()) return x.detach().set_requires_grad();
  return record("view", make_view(x, x.shape(), x.strides(), impl(x).offset),
                wrt(x, [](const Tensor& g) { return g; }));
}

Recorded checked(Recorded function) {
  if (!function.output.defined()) fail("{}: the function returned an undefined tensor", function.name);
  if (function.inputs.empty()) fail("{}: there is no input to differentiate by", function.name);
  refuse_stale(function.name, function.output);
  return function;
}

}  // namespace

Recorded run(const char* name, const UnaryFunction& fn, const Tensor& x, bool create_graph) {
  const Tensor input = argument(name, x, create_graph);
  return checked({name, fn(input), {input}});
}

Recorded run(const char* name, const ListFunction& fn, const std::vector<Tensor>& inputs, bool create_graph) {
  std::vector<Tensor> arguments;
  for (const Tensor& x : inputs) arguments.push_back(argument(name, x, create_graph));
  return checked({name, fn(arguments), arguments});
}

Recorded run(const char* name, const LossFunction& loss, const std::vector<Tensor>& parameters) {
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (!needs_grad(parameters[i])) fail("{}: parameter {} does not require a gradient", name, i);
  }
  return checked({name, loss(), parameters});
}

std::vector<Tensor> derivatives(const Recorded& function, const Tensor& cotangent, bool retain_graph,
                                bool create_graph) {
  std::vector<Tensor> results(function.inputs.size());
  if (needs_grad(function.output)) {
    results = grad(function.output, function.inputs,
                   {.grad_outputs = cotangent,
                    .retain_graph = retain_graph || create_graph,
                    .create_graph = create_graph,
                    .allow_unused = true});
  }
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (!results[i].defined()) results[i] = zeros_like(function.inputs[i]);
  }
  return results;
}

void check_like(const char* name, const Tensor& v, const Tensor& like) {
  if (v.shape() != like.shape() || v.dtype() != like.dtype()) {
    fail("{}: v must be {} {}, got {} {}", name, like.dtype(), like.shape(), v.dtype(), v.shape());
  }
}

void check_like(const char* name, const std::vector<Tensor>& v, const std::vector<Tensor>& like) {
  if (v.size() != like.size()) fail("{}: {} tensors v for {} inputs", name, v.size(), like.size());
  for (std::size_t i = 0; i < v.size(); ++i) check_like(name, v[i], like[i]);
}

HessianProduct::HessianProduct(Recorded function) {
  if (function.output.numel() != 1) {
    fail("{}: the function must return one element, got shape {}", function.name, function.output.shape());
  }
  gradients_ = derivatives(function, ones_like(function.output), true, true);
  gradient_ = {function.name, Tensor(), std::move(function.inputs)};
}

std::vector<Tensor> HessianProduct::operator()(const std::vector<Tensor>& v, bool create_graph) const {
  check_like(gradient_.name, v, inputs());
  Recorded product = gradient_;
  for (std::size_t i = 0; i < v.size(); ++i) {
    const Tensor part = sum(gradients_[i] * v[i]);
    product.output = product.output.defined() ? product.output + part.to(product.output.dtype()) : part;
  }
  return derivatives(product, ones_like(product.output), true, create_graph);
}

std::vector<Tensor> HessianProduct::rows(std::size_t a, bool create_graph) const {
  return jacobian_of({gradient_.name, gradients_[a], inputs()}, create_graph);
}

}  // namespace gradus::functional
