// Convolutions that are large enough for several tiles of rows and several threads.
#include <doctest/doctest.h>

#include <vector>

#include "gradus/gradus.hpp"

using namespace gradus;

namespace {

struct Example {
  Tensor x, weight, bias;
  Conv2dOptions options;
};

Example example(Dtype dtype) {
  const RandomOptions random{.dtype = dtype, .requires_grad = true};
  manual_seed(4);
  return {randn({5, 4, 37, 64}, random), randn({6, 4, 5, 3}, random), randn({6}, random), {.padding = {2, 1}}};
}

// The sum over the kernel's elements of the image, shifted by their place, times their weights.
Tensor shifted_products(const Example& e) {
  const Tensor padded = pad(e.x, {1, 1, 2, 2});
  Tensor y = e.bias.reshape({1, -1, 1, 1});
  for (std::int64_t k = 0; k < e.weight.size(2); ++k) {
    for (std::int64_t l = 0; l < e.weight.size(3); ++l) {
      const Tensor image = padded.narrow(2, k, e.x.size(2)).narrow(3, l, e.x.size(3));
      y = y + einsum("oc,nchw->nohw", {e.weight.select(3, l).select(2, k), image});
    }
  }
  return y;
}

// The result, and the derivatives of its product with fixed random numbers.
template <class Function>
std::vector<Tensor> with_gradients(const Example& e, const Function& function) {
  const Tensor y = function(e);
  Generator generator(9);
  const Tensor cotangent = randn(y.shape(), {.dtype = y.dtype(), .generator = &generator});
  std::vector<Tensor> all = grad(sum(y * cotangent), {e.x, e.weight, e.bias});
  all.push_back(y.detach());
  return all;
}

Tensor convolved(const Example& e) { return conv2d(e.x, e.weight, e.bias, e.options); }

}  // namespace

TEST_CASE("a convolution in several tiles is the sum of shifted products, and so are its derivatives") {
  const Example e = example(float64);
  const auto ours = with_gradients(e, convolved), expected = with_gradients(e, shifted_products);
  for (std::size_t i = 0; i < ours.size(); ++i) {
    CAPTURE(i);
    CHECK(allclose(ours[i], expected[i], {.rtol = 1e-11, .atol = 1e-11}));
  }
}

TEST_CASE("a convolution and its derivatives are the same for any number of threads") {
  const Example e = example(float32);
  const int before = get_num_threads();
  set_num_threads(1);
  const auto alone = with_gradients(e, convolved);
  set_num_threads(3);
  const auto shared = with_gradients(e, convolved);
  set_num_threads(before);
  for (std::size_t i = 0; i < alone.size(); ++i) {
    CAPTURE(i);
    CHECK(equal(alone[i], shared[i]));
  }
}
