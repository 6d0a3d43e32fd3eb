// Jacobians and Hessians, and their products with vectors.

#include "functional/recorded.hpp"
#include "gradus/autograd.hpp"
#include "gradus/factory.hpp"
#include "gradus/ops.hpp"

namespace gradus {
namespace functional {
namespace {

std::vector<Tensor> vjp_of(const Recorded& function, const Tensor& v, bool create_graph) {
  check_like(function.name, v, function.output);
  return derivatives(function, v, false, create_graph);
}

// The double-backward trick: v^T J is linear in v, so that its derivative by v, in direction d, is J d.
Tensor jvp_of(const Recorded& function, const std::vector<Tensor>& direction, bool create_graph) {
  check_like(function.name, direction, function.inputs);
  if (!function.output.requires_grad()) return zeros_like(function.output);
  const Tensor v = zeros_like(function.output, {.requires_grad = true});
  const std::vector<Tensor> products = derivatives(function, v, true, true);
  Tensor jvp;
  for (std::size_t i = 0; i < products.size(); ++i) {
    const Tensor part = derivatives({function.name, products[i], {v}}, direction[i], true, create_graph)[0];
    jvp = jvp.defined() ? jvp + part : part;
  }
  return jvp.defined() ? jvp : zeros_like(function.output);
}

Shape joined(const Shape& a, const Shape& b) {
  Shape both = a;
  for (const std::int64_t size : b) both.push_back(size);
  return both;
}

}  // namespace

std::vector<Tensor> jacobian_of(const Recorded& function, bool create_graph) {
  const Shape& out = function.output.shape();
  const std::int64_t count = function.output.numel();
  std::vector<std::vector<Tensor>> rows(function.inputs.size());
  for (std::int64_t i = 0; i < count; ++i) {
    Tensor one = zeros(Shape{count}, {.dtype = function.output.dtype()});
    one[i].fill_(1);
    const std::vector<Tensor> row = derivatives(function, one.view(out), true, create_graph);
    for (std::size_t j = 0; j < row.size(); ++j) rows[j].push_back(row[j]);
  }
  std::vector<Tensor> blocks;
  for (std::size_t j = 0; j < rows.size(); ++j) {
    const Tensor& input = function.inputs[j];
    const Shape shape = joined(out, input.shape());
    blocks.push_back(rows[j].empty() ? zeros(shape, {.dtype = input.dtype()}) : reshape(stack(rows[j]), shape));
  }
  return blocks;
}

}  // namespace functional

using functional::HessianProduct;
using functional::run;

Tensor vjp(const UnaryFunction& fn, const Tensor& x, const Tensor& v, const FunctionalOptions& options) {
  const EnableGrad recording;
  return functional::vjp_of(run("vjp", fn, x, options.create_graph), v, options.create_graph)[0];
}

std::vector<Tensor> vjp(const ListFunction& fn, const std::vector<Tensor>& inputs, const Tensor& v,
                        const FunctionalOptions& options) {
  const EnableGrad recording;
  return functional::vjp_of(run("vjp", fn, inputs, options.create_graph), v, options.create_graph);
}

Tensor jvp(const UnaryFunction& fn, const Tensor& x, const Tensor& v, const FunctionalOptions& options) {
  const EnableGrad recording;
  return functional::jvp_of(run("jvp", fn, x, options.create_graph), {v}, options.create_graph);
}

Tensor jvp(const ListFunction& fn, const std::vector<Tensor>& inputs, const std::vector<Tensor>& v,
           const FunctionalOptions& options) {
  const EnableGrad recording;
  return functional::jvp_of(run("jvp", fn, inputs, options.create_graph), v, options.create_graph);
}

Tensor jacobian(const UnaryFunction& fn, const Tensor& x, const FunctionalOptions& options) {
  const EnableGrad recording;
  return functional::jacobian_of(run("jacobian", fn, x, options.create_graph), options.create_graph)[0];
}

std::vector<Tensor> jacobian(const ListFunction& fn, const std::vector<Tensor>& inputs,
                             const FunctionalOptions& options) {
  const EnableGrad recording;
  return functional::jacobian_of(run("jacobian", fn, inputs, options.create_graph), options.create_graph);
}

Tensor hessian(const UnaryFunction& fn, const Tensor& x, const FunctionalOptions& options) {
  const EnableGrad recording;
  return HessianProduct(run("hessian", fn, x, options.create_graph)).rows(0, options.create_graph)[0];
}

std::vector<std::vector<Tensor>> hessian(const ListFunction& fn, const std::vector<Tensor>& inputs,
                                         const FunctionalOptions& options) {
  const EnableGrad recording;
  const HessianProduct product(run("hessian", fn, inputs, options.create_graph));
  std::vector<std::vector<Tensor>> blocks;
  for (std::size_t a = 0; a < inputs.size(); ++a) blocks.push_back(product.rows(a, options.create_graph));
  return blocks;
}

Tensor hvp(const UnaryFunction& fn, const Tensor& x, const Tensor& v, const FunctionalOptions& options) {
  const EnableGrad recording;
  return HessianProduct(run("hvp", fn, x, options.create_graph))({v}, options.create_graph)[0];
}

std::vector<Tensor> hvp(const ListFunction& fn, const std::vector<Tensor>& inputs, const std::vector<Tensor>& v,
                        const FunctionalOptions& options) {
  const EnableGrad recording;
  return HessianProduct(run("hvp", fn, inputs, options.create_graph))(v, options.create_graph);
}

std::vector<Tensor> hvp(const LossFunction& loss, const std::vector<Tensor>& parameters, const std::vector<Tensor>& v,
                        const FunctionalOptions& options) {
  const EnableGrad recording;
  return HessianProduct(run("hvp", loss, parameters))(v, options.create_graph);
}

}  // namespace gradus
