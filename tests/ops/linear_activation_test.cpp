// The fused layer that Sequential uses is no op of ops.hpp: here it is held to linear() followed by the activation.
#include <doctest/doctest.h>

#include <gradus/autograd.hpp>

#include "ops/checks.hpp"
#include "ops/linear.hpp"

namespace gradus::test {
namespace {

struct Fused {
  const char* name;
  kernels::Activation activation;
  Tensor (*op)(const Tensor&);
};

const Fused all[] = {{"relu", kernels::Activation::relu, relu},
                     {"tanh", kernels::Activation::tanh, tanh},
                     {"sigmoid", kernels::Activation::sigmoid, sigmoid}};

// The gradients of a random projection, and those of a random projection of them.
Tensors derivatives(const Tensor& out, const Tensors& leaves) {
  Tensors found = grad(out, leaves, {.grad_outputs = cotangent_like(out), .create_graph = true});
  Tensor total = zeros({}, {.dtype = out.dtype()});
  for (const Tensor& g : found) total = total + sum(square(g) * cotangent_like(g, 3));
  for (const Tensor& second : grad(total, leaves)) found.push_back(second);
  return found;
}

}  // namespace

TEST_CASE("linear with a fused activation is linear, then the activation, in values and two orders of derivatives") {
  for (const Fused& fused : all) {
    CAPTURE(fused.name);
    for (const Shape& shape : {Shape{5, 3}, Shape{3}, Shape{2, 2, 3}, Shape{1, 3}}) {
      CAPTURE(to_string(shape));
      for (const bool with_bias : {true, false}) {
        CAPTURE(with_bias);
        for (const Dtype dtype : {float32, float64}) {
          const Tensors inputs = make_inputs({normal(shape), normal({4, 3}), normal({4})}, dtype);
          Tensors leaves = make_leaves(inputs, {true, true, true});
          if (!with_bias) leaves.pop_back();
          const Tensor bias = with_bias ? leaves[2] : Tensor();
          const Tensor one = linear_activation(leaves[0], leaves[1], bias, fused.activation);
          const Tensor two = fused.op(linear(leaves[0], leaves[1], bias));
          const Tolerance tolerance{.to_scale = dtype == float32 ? 1e-6 : 1e-14};
          CHECK(difference(one, two, tolerance) == "");
          const Tensors a = derivatives(one, leaves), b = derivatives(two, leaves);
          for (std::size_t i = 0; i < a.size(); ++i) {
            CHECK(difference(a[i], b[i], {.to_scale = dtype == float32 ? 1e-5 : 1e-13}) == "");
          }
        }
      }
    }
  }
}

TEST_CASE("linear with a fused activation takes transposed inputs and records nothing under NoGrad") {
  const Tensors inputs = make_inputs({normal({3, 6}), normal({3, 70})}, float64);
  const std::int64_t nodes = live_nodes();
  {
    const NoGrad guard;
    Tensor w = inputs[1].t().clone().set_requires_grad();
    for (const Fused& fused : all) {
      const Tensor out = linear_activation(inputs[0].t(), w, {}, fused.activation);
      CHECK(difference(out, fused.op(matmul(inputs[0].t(), inputs[1])), {.to_scale = 1e-14}) == "");
      CHECK_FALSE(out.requires_grad());
    }
  }
  CHECK(live_nodes() == nodes);
  CHECK_THROWS_AS(linear_activation(zeros({2, 3}), zeros({2, 4}), {}, kernels::Activation::relu), Error);
}

}  // namespace gradus::test
