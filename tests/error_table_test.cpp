// What a caller can do wrong: each call must throw gradus::Error with one line that has the op, the rule and the
// received values. The texts are compared exactly: they are part of the interface.
#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include <gradus/autograd.hpp>
#include <gradus/data.hpp>
#include <gradus/factory.hpp>
#include <gradus/memory.hpp>
#include <gradus/nn.hpp>
#include <gradus/ops.hpp>
#include <gradus/optim.hpp>
#include <gradus/random.hpp>
#include <gradus/threads.hpp>

using namespace gradus;

namespace {

struct Wrong {
  std::function<void()> call;
  std::string message;
};

Tensor doubles(const Shape& shape) { return zeros(shape, {.dtype = float64}); }
Tensor integers(const Shape& shape) { return zeros(shape, {.dtype = int64}); }
Tensor leaf(const Shape& shape) { return ones(shape, {.requires_grad = true}); }

void check(const std::vector<Wrong>& table) {
  for (std::size_t i = 0; i < table.size(); ++i) {
    CAPTURE(i);
    const std::string& expected = table[i].message;
    CAPTURE(expected);
    try {
      table[i].call();
      FAIL_CHECK("no error");
    } catch (const Error& error) {
      const std::string message = error.what();
      CHECK(message == expected);
      CHECK(message.find('\n') == std::string::npos);
    } catch (const std::exception& error) {
      FAIL_CHECK("not a gradus::Error: " << std::string(error.what()));
    }
  }
}

}  // namespace

TEST_CASE("shapes that do not fit are refused") {
  check({
      {[] {
         zeros({2, 3}) + zeros({2});
       },
       "add: shapes do not broadcast: (2, 3) and (2,)"},
      {[] {
         zeros({2, 3}) * zeros({4, 3});
       },
       "mul: shapes do not broadcast: (2, 3) and (4, 3)"},
      {[] { maximum(zeros({0}), zeros({2})); }, "maximum: shapes do not broadcast: (0,) and (2,)"},
      {[] { where(zeros({2}, {.dtype = boolean}), zeros({3}), 0.0); }, "where: shapes do not broadcast: (2,) and (3,)"},
      {[] { eq(zeros({2}), zeros({3})); }, "eq: shapes do not broadcast: (2,) and (3,)"},
      {[] { allclose(zeros({2}), zeros({3})); }, "allclose: shapes do not broadcast: (2,) and (3,)"},
      {[] {
         matmul(zeros({2, 3}), zeros({4, 5}));
       },
       "matmul: inner dimensions differ: (2, 3) x (4, 5)"},
      {[] { matmul(zeros({3}), zeros({4})); }, "matmul: inner dimensions differ: (3,) x (4,)"},
      {[] { matmul(zeros({}), zeros({4})); }, "matmul: both operands need a dim: () x (4,)"},
      {[] {
         matmul(zeros({2, 2, 3}), zeros({3, 3, 2}));
       },
       "matmul: batch dims: shapes do not broadcast: (2,) and (3,)"},
      {[] {
         matmul(zeros({2, 3}), zeros({2}));
       },
       "matmul: inner dimensions differ: (2, 3) x (2,)"},
      {[] {
         linear(zeros({2, 3}), zeros({4, 2}));
       },
       "linear: the last dim of x must be that of the weight (out, in): (2, 3) and (4, 2)"},
      {[] {
         linear(zeros({2, 3}), zeros({3}));
       },
       "linear: the last dim of x must be that of the weight (out, in): (2, 3) and (3,)"},
      {[] {
         linear(zeros({2, 3}), zeros({4, 3}), zeros({3}));
       },
       "linear: the bias must be (4,), got (3,)"},
      {[] {
         linear(zeros({}), zeros({4, 3}));
       },
       "linear: the last dim of x must be that of the weight (out, in): () and (4, 3)"},
      {[] {
         cat({zeros({2, 3}), zeros({2, 4})});
       },
       "cat: tensor 1 of shape (2, 4) does not fit the first, (2, 3), except along dim 0"},
      {[] {
         cat({zeros({2, 3}), zeros({3})}, 1);
       },
       "cat: tensor 1 of shape (3,) does not fit the first, (2, 3), except along dim 1"},
      {[] { cat({}); }, "cat: at least one tensor is needed"},
      {[] {
         cat({zeros({}), zeros({})});
       },
       "cat: 0-d tensors cannot be joined; use stack"},
      {[] {
         stack({zeros({2}), zeros({3})});
       },
       "stack: shapes differ: (2,) and, at 1, (3,)"},
      {[] { stack({}); }, "stack: at least one tensor is needed"},
      {[] {
         gather(zeros({2, 3}), 1, integers({3}));
       },
       "gather: an index of shape (3,) does not fit a tensor of shape (2, 3) along dim 1"},
      {[] {
         gather(zeros({2, 3}), 1, integers({3, 1}));
       },
       "gather: an index of shape (3, 1) does not fit a tensor of shape (2, 3) along dim 1"},
      {[] {
         index_select(zeros({2, 3}), 1, integers({1, 1}));
       },
       "index_select: the index must have one dim, got shape (1, 1)"},
      {[] { index_select(zeros({}), 0, integers({1})); }, "index_select: a 0-d tensor has no dim to select from"},
      {[] {
         zeros({2, 3}).reshape({4, 2});
       },
       "reshape: a tensor of shape (2, 3) with 6 elements does not fit into (4, 2)"},
      {[] {
         zeros({2, 3}).reshape({-1, 4});
       },
       "reshape: a tensor of shape (2, 3) with 6 elements does not fit into (-1, 4)"},
      {[] {
         zeros({2, 3}).reshape({-1, -1});
       },
       "reshape: sizes must not be negative, except for one -1: (-1, -1)"},
      {[] {
         zeros({2, 3}).reshape({-2, 3});
       },
       "reshape: sizes must not be negative, except for one -1: (-2, 3)"},
      {[] {
         zeros({0, 3}).reshape({-1, 0});
       },
       "reshape: a tensor of shape (0, 3) with 0 elements does not fit into (-1, 0)"},
      {[] {
         zeros({2, 3}).t().view({6});
       },
       "view: shape (3, 2) with strides (1, 3) cannot be seen as (6,) without a copy; use reshape()"},
      {[] {
         zeros({2, 3}).expand({2, 4});
       },
       "expand: shape (2, 3) does not expand to (2, 4)"},
      {[] {
         zeros({2, 3}).expand({3});
       },
       "expand: (3,) has fewer dims than the tensor's shape (2, 3)"},
      {[] {
         zeros({3}).expand({-1, 3});
       },
       "expand: shape (3,) does not expand to (-1, 3)"},
      {[] {
         zeros({2, 3}).permute({0});
       },
       "permute: (0,) dims given for a tensor of shape (2, 3)"},
      {[] {
         zeros({2, 3, 4}).t();
       },
       "t: at most 2 dims, got shape (2, 3, 4)"},
      {[] { zeros({2}).item(); }, "item: only a tensor of one element has an item, got shape (2,)"},
      {[] {
         zeros({-1, 2});
       },
       "tensor: sizes must not be negative: (-1, 2)"},
      {[] {
         zeros({1LL << 40, 1LL << 40});
       },
       "tensor: too many elements for memory: (1099511627776, 1099511627776)"},
      {[] {
         zeros({1, 1, 1, 1, 1, 1, 1, 1, 1});
       },
       "shape: at most 8 dims are supported, got 9"},
      {[] {
         zeros({1, 1, 1, 1, 1, 1, 1, 1}).unsqueeze(0);
       },
       "shape: at most 8 dims are supported, got 9"},
      {[] {
         tensor({{1, 2}, {3}});
       },
       "tensor: lists differ in length: 1 where the first of that level has 2"},
      {[] {
         tensor({{1, 2}, 3});
       },
       "tensor: a number where shape (2, 2) has a list of 2"},
      {[] {
         tensor({1, {2}});
       },
       "tensor: a list of 1 where shape (2,) has a number"},
      {[] {
         const std::vector<float> five(5);
         tensor(std::span<const float>(five), {2, 3});
       },
       "tensor: 5 values do not fill shape (2, 3)"},
      {[] {
         mse_loss(zeros({2, 3}), zeros({2}));
       },
       "mse_loss: shapes do not broadcast: (2, 3) and (2,)"},
      {[] {
         l1_loss(zeros({2, 3}), zeros({4}));
       },
       "l1_loss: shapes do not broadcast: (2, 3) and (4,)"},
      {[] {
         cross_entropy(zeros({2, 3}), integers({3}));
       },
       "cross_entropy: input must be (batch, classes, ...) and target (batch, ...): (2, 3) and (3,)"},
      {[] {
         cross_entropy(zeros({2, 3, 4}), integers({2}));
       },
       "cross_entropy: input must be (batch, classes, ...) and target (batch, ...): (2, 3, 4) and (2,)"},
      {[] {
         cross_entropy(zeros({2, 3}), integers({2}), {.weight = zeros({2})});
       },
       "cross_entropy: the weight must be (3,), got (2,)"},
      {[] { binary_cross_entropy_with_logits(zeros({2}), zeros({3})); },
       "binary_cross_entropy_with_logits: shapes differ: (2,) and (3,)"},
  });
}

TEST_CASE("dtypes that do not fit are refused") {
  check({
      {[] { zeros({2}) + doubles({2}); }, "add: dtypes differ: float32 and float64; convert one with to()"},
      {[] { sub(doubles({2}), zeros({2}), 2.0); }, "sub: dtypes differ: float64 and float32; convert one with to()"},
      {[] {
         matmul(zeros({2, 2}), doubles({2, 2}));
       },
       "matmul: dtypes differ: float32 and float64; convert one with to()"},
      {[] {
         matmul(integers({2, 2}), integers({2, 2}));
       },
       "matmul: a floating dtype is needed, got int64"},
      {[] {
         linear(zeros({2, 2}), zeros({2, 2}), doubles({2}));
       },
       "linear: dtypes differ: float32 and float64; convert one with to()"},
      {[] {
         cat({zeros({2}), integers({2})});
       },
       "cat: tensor 1 is int64, the first float32"},
      {[] {
         stack({zeros({2}), doubles({2})});
       },
       "stack: tensor 1 is float64, the first float32"},
      {[] { where(zeros({2}), zeros({2}), zeros({2})); }, "where: the condition must be bool, got float32"},
      {[] { where(zeros({2}, {.dtype = boolean}), zeros({2}), doubles({2})); },
       "where: dtypes differ: float32 and float64; convert one with to()"},
      {[] { equal(zeros({2}), doubles({2})); }, "equal: dtypes differ: float32 and float64"},
      {[] { allclose(zeros({2}), doubles({2})); }, "allclose: dtypes differ: float32 and float64"},
      {[] { gt(zeros({2}), doubles({2})); }, "gt: dtypes differ: float32 and float64; convert one with to()"},
      {[] { exp(integers({2})); }, "exp: a floating dtype is needed, got int64"},
      {[] { zeros({2}, {.dtype = boolean}) - zeros({2}, {.dtype = boolean}); },
       "sub: a numeric dtype is needed, got bool"},
      {[] { relu(zeros({2}, {.dtype = boolean})); }, "relu: a numeric dtype is needed, got bool"},
      {[] { softmax(integers({2}), 0); }, "softmax: a floating dtype is needed, got int64"},
      {[] { log_softmax(integers({2}), 0); }, "log_softmax: a floating dtype is needed, got int64"},
      {[] { logsumexp(integers({2}), 0); }, "logsumexp: a floating dtype is needed, got int64"},
      {[] { mean(integers({2})); }, "mean: a floating dtype is needed, got int64"},
      {[] { norm(integers({2})); }, "norm: a floating dtype is needed, got int64"},
      {[] { integers({2}) * 0.5; },
       "mul: the scalar 0.5 is no integer, but the tensor is int64; convert it with to(float32)"},
      {[] { integers({2}).add_(0.5); },
       "add_: the scalar 0.5 is no integer, but the tensor is int64; convert it with to(float32)"},
      {[] { integers({2}).div_(2.0); }, "div_: a quotient does not fit into int64"},
      {[] { integers({2}).add_(zeros({2})); }, "add_: the result is float32 (2,), the tensor written to int64 (2,)"},
      {[] { integers({2}).sqrt_(); }, "sqrt_: a floating dtype is needed, got int64"},
      {[] { zeros({2}).add_(doubles({2})); }, "add: dtypes differ: float32 and float64; convert one with to()"},
      {[] { gather(zeros({2}), 0, zeros({2})); }, "gather: the index must be int64, got float32"},
      {[] { index_select(zeros({2}), 0, zeros({2})); }, "index_select: the index must be int64, got float32"},
      {[] { zeros({2}).data<double>(); }, "data: the tensor is float32, not float64"},
      {[] {
         zeros({2, 3}).t().data<float>();
       },
       "data: the tensor is not contiguous: shape (3, 2), strides (1, 3); call contiguous() first"},
      {[] {
         cross_entropy(zeros({2, 3}), zeros({2}));
       },
       "cross_entropy: the target must be int64 classes, got float32"},
      {[] {
         cross_entropy(integers({2, 3}), integers({2}));
       },
       "cross_entropy: a floating dtype is needed, got int64"},
      {[] {
         cross_entropy(zeros({2, 3}), integers({2}), {.weight = doubles({3})});
       },
       "cross_entropy: the weight is float64, the input float32"},
      {[] { mse_loss(zeros({2}), doubles({2})); },
       "mse_loss: dtypes differ: float32 and float64; convert one with to()"},
      {[] { mse_loss(integers({2}), integers({2})); }, "mse_loss: a floating dtype is needed, got int64"},
      {[] { binary_cross_entropy_with_logits(zeros({2}), integers({2})); },
       "binary_cross_entropy_with_logits: dtypes differ: float32 and int64; convert one with to()"},
      {[] { integers({2}).set_requires_grad(); }, "set_requires_grad: only floating dtypes have gradients, got int64"},
      {[] { tensor({1.5}, {.dtype = int64}); }, "tensor: 1.5 is no int64"},
      {[] { full({2}, 0.5, {.dtype = int64}); }, "full: 0.5 is no int64"},
      {[] { full({2}, NAN, {.dtype = int64}); }, "full: nan is no int64"},
      {[] { zeros({2}, {.dtype = boolean, .requires_grad = true}); },
       "set_requires_grad: only floating dtypes have gradients, got bool"},
  });
}

TEST_CASE("dims and indices out of range are refused") {
  check({
      {[] {
         sum(zeros({2, 3}), 2);
       },
       "sum: dim must be in [-2, 1] for a tensor of 2 dims, got 2"},
      {[] {
         sum(zeros({2, 3}), {0, -2});
       },
       "sum: a dim is named twice: (0, -2)"},
      {[] {
         mean(zeros({2, 3}), -3);
       },
       "mean: dim must be in [-2, 1] for a tensor of 2 dims, got -3"},
      {[] {
         max(zeros({2, 3}), 2);
       },
       "max: dim must be in [-2, 1] for a tensor of 2 dims, got 2"},
      {[] {
         argmin(zeros({2, 3}), 5);
       },
       "argmin: dim must be in [-2, 1] for a tensor of 2 dims, got 5"},
      {[] {
         softmax(zeros({2, 3}), 2);
       },
       "softmax: dim must be in [-2, 1] for a tensor of 2 dims, got 2"},
      {[] { softmax(zeros({}), 1); }, "softmax: dim must be in [-1, 0] for a tensor of 0 dims, got 1"},
      {[] {
         log_softmax(zeros({2, 3}), -3);
       },
       "log_softmax: dim must be in [-2, 1] for a tensor of 2 dims, got -3"},
      {[] {
         logsumexp(zeros({2, 3}), {1, 1});
       },
       "logsumexp: a dim is named twice: (1, 1)"},
      {[] {
         zeros({2, 3}).transpose(0, 2);
       },
       "transpose: dim must be in [-2, 1] for a tensor of 2 dims, got 2"},
      {[] {
         zeros({2, 3}).permute({0, 2});
       },
       "permute: dim must be in [-2, 1] for a tensor of 2 dims, got 2"},
      {[] {
         zeros({2, 3}).permute({0, 0});
       },
       "permute: a dim is named twice: (0, 0)"},
      {[] {
         zeros({2, 3}).unsqueeze(3);
       },
       "unsqueeze: dim must be in [-3, 2] for a tensor of 2 dims, got 3"},
      {[] {
         zeros({2, 3}).squeeze(2);
       },
       "squeeze: dim must be in [-2, 1] for a tensor of 2 dims, got 2"},
      {[] {
         zeros({2, 3}).flatten(1, 0);
       },
       "flatten: start_dim 1 lies behind end_dim 0"},
      {[] {
         zeros({2, 3}).flatten(0, 2);
       },
       "flatten: dim must be in [-2, 1] for a tensor of 2 dims, got 2"},
      {[] {
         zeros({2, 3}).size(2);
       },
       "size: dim must be in [-2, 1] for a tensor of 2 dims, got 2"},
      {[] { zeros({}).size(0); }, "size: a 0-d tensor has no dim 0"},
      {[] {
         zeros({2, 3})[2];
       },
       "select: index 2 is out of range for dim 0 of shape (2, 3)"},
      {[] {
         zeros({2, 3}).select(1, -4);
       },
       "select: index -4 is out of range for dim 1 of shape (2, 3)"},
      {[] { zeros({})[0]; }, "select: a 0-d tensor has no dim to select from"},
      {[] {
         zeros({2, 3}).slice(2);
       },
       "slice: dim must be in [-2, 1] for a tensor of 2 dims, got 2"},
      {[] {
         zeros({2, 3}).slice(0, 0, 2, 0);
       },
       "slice: the step must be positive, got 0"},
      {[] {
         zeros({2, 3}).slice(0, 0, 2, -1);
       },
       "slice: the step must be positive, got -1"},
      {[] { zeros({}).slice(0); }, "slice: a 0-d tensor has no dim to slice"},
      {[] {
         zeros({2, 3}).narrow(1, 1, 3);
       },
       "narrow: start 1 and length 3 do not lie within dim 1 of shape (2, 3)"},
      {[] {
         zeros({2, 3}).narrow(1, 0, -1);
       },
       "narrow: start 0 and length -1 do not lie within dim 1 of shape (2, 3)"},
      {[] {
         zeros({2, 3}).narrow(1, 4, 0);
       },
       "narrow: start 4 and length 0 do not lie within dim 1 of shape (2, 3)"},
      {[] { cat({zeros({2})}, 1); }, "cat: dim must be in [-1, 0] for a tensor of 1 dims, got 1"},
      {[] { stack({zeros({2})}, 2); }, "stack: dim must be in [-2, 1] for a tensor of 1 dims, got 2"},
      {[] {
         gather(zeros({2, 3}), 2, integers({2, 3}));
       },
       "gather: dim must be in [-2, 1] for a tensor of 2 dims, got 2"},
      {[] {
         gather(zeros({3}), 0, tensor({0, 3}));
       },
       "gather: index 3 is out of range for a dim of size 3"},
      {[] { gather(zeros({3}), 0, tensor({-1})); }, "gather: index -1 is out of range for a dim of size 3"},
      {[] {
         index_select(zeros({3, 2}), 0, tensor({5}));
       },
       "index_select: index 5 is out of range for a dim of size 3"},
      {[] {
         index_select(zeros({3, 2}), 1, tensor({-3}));
       },
       "index_select: index -3 is out of range for a dim of size 2"},
      {[] {
         cross_entropy(zeros({2, 3}), tensor({0, 3}));
       },
       "cross_entropy: target 3 is not a class in [0, 3)"},
      {[] {
         cross_entropy(zeros({2, 3}), tensor({-1, 0}));
       },
       "cross_entropy: target -1 is not a class in [0, 3)"},
      {[] { cross_entropy(zeros({3}), tensor(7)); }, "cross_entropy: target 7 is not a class in [0, 3)"},
      {[] {
         cross_entropy(zeros({1, 3}), tensor({NAN}));
       },
       "cross_entropy: the target must be int64 classes, got float32"},
      {[] {
         cross_entropy(zeros({1, 0}), tensor({0}));
       },
       "cross_entropy: target 0 is not a class in [0, 0)"},
  });
}

TEST_CASE("reductions of nothing that have no answer are refused") {
  check({
      {[] { max(zeros({0})); }, "max: an empty tensor of shape (0,) has no extreme"},
      {[] {
         min(zeros({0, 3}));
       },
       "min: an empty tensor of shape (0, 3) has no extreme"},
      {[] {
         max(zeros({0, 3}), 0);
       },
       "max: dim 0 of shape (0, 3) is empty"},
      {[] { argmax(zeros({0})); }, "argmax: dim 0 of shape (0,) is empty"},
      {[] {
         argmin(zeros({2, 0}), 1);
       },
       "argmin: dim 1 of shape (2, 0) is empty"},
  });
}

TEST_CASE("options out of range are refused") {
  check({
      {[] { clamp(zeros({2}), {}, {}); }, "clamp: at least one of min and max is needed"},
      {[] { norm(zeros({2}), NAN); }, "norm: p must be a number, got nan"},
      {[] {
         cross_entropy(zeros({2, 3}), integers({2}), {.label_smoothing = 1.5});
       },
       "cross_entropy: label_smoothing must be in [0, 1], got 1.5"},
      {[] {
         cross_entropy(zeros({2, 3}), integers({2}), {.label_smoothing = NAN});
       },
       "cross_entropy: label_smoothing must be in [0, 1], got nan"},
      {[] {
         pow(tensor({2, 3}), -1);
       },
       "pow: an int64 base has no negative power in int64: -1; convert it with to(float32)"},
      {[] {
         pow(tensor({2, 3}), tensor({1, -2}));
       },
       "pow: an int64 base has no negative power in int64: -2; convert it with to(float32)"},
      {[] {
         zeros({1}).expand({1LL << 40, 1LL << 40});
       },
       "expand: too many elements to count: (1099511627776, 1099511627776)"},
      {[] { arange(0, 5, 0); }, "arange: no steps of 0 lead from 0 to 5"},
      {[] { arange(0, 5, -1); }, "arange: steps of -1 lead away from 5 on the way from 0"},
      {[] { arange(0, NAN); }, "arange: no steps of 1 lead from 0 to nan"},
      {[] { arange(0, std::numeric_limits<double>::infinity()); }, "arange: no steps of 1 lead from 0 to inf"},
      {[] { linspace(0, 1, -1); }, "linspace: the number of steps must not be negative, got -1"},
      {[] { eye(-2); }, "tensor: sizes must not be negative: (-2, -2)"},
      {[] { randint(3, 3, {2}); }, "randint: low must be less than high: 3 and 3"},
      {[] { randint(5, 1, {2}); }, "randint: low must be less than high: 5 and 1"},
      {[] { randperm(-1); }, "randperm: n must not be negative, got -1"},
      {[] {
         bernoulli(tensor({0.5, 1.5}));
       },
       "bernoulli: a probability must be in [0, 1], got 1.5 at element 1 of (2,)"},
      {[] { bernoulli(tensor({NAN})); }, "bernoulli: a probability must be in [0, 1], got nan at element 0 of (1,)"},
      {[] { rand({-2}); }, "rand: sizes must not be negative, got (-2,)"},
      {[] { rand({2}, {.dtype = int64}); }, "rand: dtype must be float32 or float64, got int64"},
      {[] { randn({2}, {.dtype = boolean}); }, "randn: dtype must be float32 or float64, got bool"},
      {[] { set_num_threads(0); }, "set_num_threads: at least one thread is needed, got 0"},
      {[] { set_pooled_memory_limit(-1); }, "set_pooled_memory_limit: the limit must not be negative: -1"},
  });
}

TEST_CASE("misuse of the tape is refused") {
  check({
      {[] { leaf({2}).backward(); },
       "backward: only a tensor of one element has an implicit gradient, got shape (2,); pass one"},
      {[] { zeros({}).backward(); },
       "backward: the tensor of shape () does not depend on any tensor that requires a gradient"},
      {[] { leaf({2}).backward({.gradient = ones({3})}); },
       "backward: the gradient must be float32 (2,), got float32 (3,)"},
      {[] { leaf({2}).backward({.gradient = doubles({2})}); },
       "backward: the gradient must be float32 (2,), got float64 (2,)"},
      {[] {
         const Tensor y = sum(leaf({2}));
         y.backward();
         y.backward();
       },
       "backward: the graph at 'sum' was freed by an earlier backward; pass .retain_graph = true to that one"},
      {[] { grad(sum(leaf({2})), {leaf({2})}); },
       "grad: the output does not depend on input 0; pass .allow_unused = true if that is intended"},
      {[] { grad(sum(leaf({2})), {zeros({2})}); }, "grad: input 0 does not require a gradient"},
      {[] { grad(zeros({}), {leaf({2})}); },
       "grad: the tensor of shape () does not depend on any tensor that requires a gradient"},
      {[] {
         Tensor x = leaf({2}), c = ones({2});
         const Tensor y = sum(x * c);
         c.zero_();
         y.backward();
       },
       "mul: a tensor of shape (2,) that its derivative needs was changed in place since (version 1, saved at 0)"},
      {[] {
         Tensor x = leaf({2});
         const Tensor y = exp(x);
         y.detach().zero_();
         sum(y).backward();
       },
       "exp: its output of shape (2,), which its derivative needs, was changed in place since (version 1, saved at 0)"},
      {[] { leaf({2}).add_(1.0); },
       "add_: a leaf that requires a gradient cannot be changed in place; do it under NoGrad"},
      {[] { leaf({2})[0].zero_(); },
       "zero_: a view of a leaf that requires a gradient cannot be changed in place; do it under NoGrad"},
      {[] { (leaf({2}) * 2.0).set_requires_grad(false); },
       "set_requires_grad: only leaves can stop requiring a gradient, this is the result of 'mul'; use detach()"},
      {[] { leaf({2}).set_grad(zeros({3})); }, "set_grad: the gradient must be float32 (2,), got float32 (3,)"},
      {[] { leaf({2}).set_grad(doubles({2})); }, "set_grad: the gradient must be float32 (2,), got float64 (2,)"},
      {[] { zeros({2}).register_hook([](const Tensor& g) { return g; }); },
       "register_hook: a tensor that requires no gradient has none to see"},
      {[] { leaf({2}).remove_hook(4); }, "remove_hook: no hook 4 on this tensor"},
      {[] {
         const Tensor x = leaf({2});
         x.register_hook([](const Tensor&) { return zeros({5}); });
         sum(x).backward();
       },
       "hook: the gradient is float32 (2,), its replacement float32 (5,)"},
      {[] { Tensor().sum(); }, "tensor: an undefined tensor was used"},
      {[] { add(zeros({2}), Tensor()); }, "tensor: an undefined tensor was used"},
      {[] { zeros({2}).add_(zeros({3})); }, "add_: shapes do not broadcast: (2,) and (3,)"},
      {[] {
         zeros({2}).add_(zeros({2, 2}));
       },
       "add_: the result is float32 (2, 2), the tensor written to float32 (2,)"},
      {[] { zeros({2}).copy_(zeros({3})); }, "copy_: shapes do not broadcast: (2,) and (3,)"},
      {[] { zeros({1}).expand({3}).add_(1.0); },
       "add_: an expanded tensor cannot be written: shape (3,), strides (0,); use clone()"},
  });
}

TEST_CASE("wrong layers and optimizers are refused") {
  check({
      {[] { nn::Linear(-1, 2); }, "Linear: in_features and out_features must be at least 0, got -1 and 2"},
      {[] {
         nn::Linear(2, 3)(zeros({4, 5}));
       },
       "linear: the last dim of x must be that of the weight (out, in): (4, 5) and (3, 2)"},
      {[] {
         nn::Linear(2, 3)(doubles({4, 2}));
       },
       "linear: dtypes differ: float64 and float32; convert one with to()"},
      {[] { nn::Sequential(nn::ReLU())[1]; }, "Sequential: index 1 is out of range for 1 modules"},
      {[] { nn::Linear(2, 3).load_state_dict({}); }, "load_state_dict: missing keys: bias, weight"},
      {[] {
         nn::Linear(2, 1).load_state_dict({{"weight", zeros({1, 2})}, {"bias", zeros({2})}});
       },
       "load_state_dict: wrong shapes: bias is (2,), the module needs (1,)"},
      {[] {
         nn::Linear(2, 1).load_state_dict({{"weight", zeros({1, 2})}, {"bias", zeros({1})}, {"extra", zeros({1})}});
       },
       "load_state_dict: unexpected keys: extra"},
      {[] { optim::SGD({}, {.lr = 0.1}); }, "optimizer: got an empty parameter list"},
      {[] { optim::SGD({leaf({2})}, {.lr = -1}); }, "SGD: lr must be at least 0, got -1"},
      {[] { optim::SGD({leaf({2})}, {.momentum = -0.5}); }, "SGD: momentum must be at least 0, got -0.5"},
      {[] { optim::SGD({leaf({2})}, {.nesterov = true}); },
       "SGD: nesterov needs a momentum above 0 and a dampening of 0, got 0 and 0"},
      {[] { optim::SGD({leaf({2}) * 2.0}, {}); },
       "optimizer: parameter 0, (2,), is not a leaf but the result of an op"},
      {[] {
         const Tensor x = leaf({2});
         optim::SGD({x, x}, {});
       },
       "optimizer: parameter 1, (2,), is parameter 0 again"},
      {[] { optim::Adam({leaf({2})}, {.lr = NAN}); }, "Adam: lr must be at least 0, got nan"},
      {[] {
         optim::Adam({leaf({2})}, {.betas = {1.0, 0.999}});
       },
       "Adam: betas must be in [0, 1), got 1 and 0.999"},
      {[] { optim::Adam({leaf({2})}, {.eps = -1}); }, "Adam: eps must be at least 0, got -1"},
      {[] { optim::AdamW({leaf({2})}, {.weight_decay = -0.1}); }, "AdamW: weight_decay must be at least 0, got -0.1"},
  });
}

TEST_CASE("wrong calls of layers name the layer by its path, and what it was given") {
  struct Model : nn::Module {
    nn::Embedding words{10, 4};
    nn::Sequential head{nn::Linear(4, 3), nn::ReLU()};
    GRADUS_MODULE(words, head)
    Tensor forward(const Tensor& x) override { return head(words(x)); }
  };
  const auto images = [](nn::AnyModule layer, const Shape& shape) {
    nn::Sequential model{nn::Identity()};
    model.push_back(std::move(layer));
    model(zeros(shape));
  };
  check({
      {[] {
         Model()(tensor({1, 10}));
       },
       "words: embedding: index 10 is outside a vocabulary of 10"},
      {[] { Model()(tensor({-1})); }, "words: embedding: index -1 is outside a vocabulary of 10"},
      {[] { Model()(zeros({2})); }, "words: embedding: the indices must be int64, got float32"},
      {[] {
         Model model;
         model.head = nn::Sequential(nn::Linear(5, 3), nn::ReLU());
         model(tensor({1, 2}));
       },
       "head.0: linear: the last dim of x must be that of the weight (out, in): (2, 4) and (3, 5)"},
      {[] { cross_entropy(Model()(tensor({1})), tensor({3})); }, "cross_entropy: target 3 is not a class in [0, 3)"},
      {[&] {
         images(nn::Conv2d(3, 4, 5), {1, 3, 4, 4});
       },
       "1: conv2d: the kernel reaches over 5 elements, the padded input has 4"},
      {[&] {
         images(nn::Conv2d(3, 4, 3), {1, 2, 4, 4});
       },
       "1: conv2d: x has 2 channels, the weight (4, 3, 3, 3) with 1 groups takes 3"},
      {[&] {
         images(nn::Conv1d(3, 4, 5, {.padding = 1}), {1, 3, 2});
       },
       "1: conv2d: the kernel reaches over 5 elements, the padded input has 4"},
      {[&] {
         images(nn::Conv2d(1, 1, 3, {.padding = 2, .padding_mode = nn::PaddingMode::reflect}), {1, 1, 2, 2});
       },
       "1: pad: reflect padding of (2, 2) does not fit dim 3 of shape (1, 1, 2, 2)"},
      {[&] {
         images(nn::MaxPool2d(3), {1, 2, 2, 2});
       },
       "1: max_pool2d: the kernel reaches over 3 elements, the padded input has 2"},
      {[&] {
         images(nn::BatchNorm2d(3), {1, 2, 2, 2});
       },
       "1: BatchNorm2d: the input needs 3 channels, got (1, 2, 2, 2)"},
      {[&] {
         images(nn::Upsample({.scale_factor = 2}), {2, 2});
       },
       "1: interpolate: rows (batch, channels, n) or images (batch, channels, h, w) are needed, got (2, 2)"},
      {[] { nn::Conv2d(2, 2, 3, {.groups = 0}); },
       "Conv2d: groups must divide in_channels and out_channels, got 0 for 2 and 2"},
      {[] { nn::Conv1d(3, 2, 3, {.groups = 2}); },
       "Conv1d: groups must divide in_channels and out_channels, got 2 for 3 and 2"},
      {[] { nn::ConvTranspose2d(2, 2, 0); }, "ConvTranspose2d: kernel_size must be at least 1, got 0"},
      {[] { nn::GroupNorm(0, 4); }, "GroupNorm: 4 channels cannot be split into 0 groups"},
      {[] { Model().load_state_dict(nn::Sequential(nn::Linear(4, 3)).state_dict()); },
       "load_state_dict: missing keys: head.0.bias, head.0.weight, words.weight; unexpected keys: 0.bias, 0.weight"},
      {[] {
         Model model;
         auto state = model.state_dict();
         state["head.0.weight"] = zeros({3, 5});
         model.load_state_dict(state);
       },
       "load_state_dict: wrong shapes: head.0.weight is (3, 5), the module needs (3, 4)"},
  });
}

TEST_CASE("wrong data is refused") {
  check({
      {[] {
         data::Dataset(zeros({3, 2}), zeros({4}));
       },
       "Dataset: x and y must have the same number of samples in dim 0: (3, 2) and (4,)"},
      {[] { data::Dataset(zeros({}), zeros({4})); },
       "Dataset: x and y must have the same number of samples in dim 0: () and (4,)"},
      {[] { data::digits().split(0); }, "split: the fraction must be between 0 and 1: 0"},
      {[] { data::digits().split(1.5); }, "split: the fraction must be between 0 and 1: 1.5"},
      {[] { data::digits().split(NAN); }, "split: the fraction must be between 0 and 1: nan"},
      {[] {
         data::Dataset(zeros({1, 2}), zeros({1})).split(0.5);
       },
       "split: a part would be empty: fraction 0.5 of 1 samples"},
      {[] { data::DataLoader(data::digits(), {.batch_size = 0}); }, "DataLoader: batch_size must be positive: 0"},
      {[] { data::read_csv("/no/such/file.csv"); },
       "read_csv: /no/such/file.csv: cannot be opened: No such file or directory"},
      {[] { data::read_idx("/no/such/file.idx"); },
       "read_idx: /no/such/file.idx: cannot be opened: No such file or directory"},
  });
}
