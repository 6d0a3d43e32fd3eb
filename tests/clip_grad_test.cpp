#include "gradus/nn/clip_grad.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "gradus/factory.hpp"
#include "gradus/nn.hpp"
#include "gradus/ops.hpp"
#include "gradus/optim.hpp"
#include "gradus/random.hpp"
#include "gradus/threads.hpp"

using namespace gradus;

namespace {

using Params = std::vector<Tensor>;

struct Clipped {
  double norm_type, max_norm, norm;
  std::vector<double> gradients;
};

// Printed by tools/reference/clip_grad.py.
const std::vector<Clipped> pytorch{
    {2.0,
     1.0,
     13.22225869509442,
     {0.22689011327716002, -0.3025201510362134, 0.0, 0.03781501887952667, 0.09453754719881668, -0.1512600755181067,
      -0.9075604531086401, 0.009453754719881668}},
    {2.0, 100.0, 13.22225869509442, {3.0, -4.0, 0.0, 0.5, 1.25, -2.0, -12.0, 0.125}},
    {1.0,
     1.0,
     22.875,
     {0.13114753525038098, -0.1748633803338413, 0.0, 0.021857922541730163, 0.054644806354325406, -0.08743169016692065,
      -0.5245901410015239, 0.005464480635432541}},
    {1.0, 100.0, 22.875, {3.0, -4.0, 0.0, 0.5, 1.25, -2.0, -12.0, 0.125}},
    {3.0,
     1.0,
     12.229562095560976,
     {0.2453072097963111, -0.3270762797284148, 0.0, 0.04088453496605185, 0.10221133741512962, -0.1635381398642074,
      -0.9812288391852444, 0.010221133741512962}},
    {3.0, 100.0, 12.229562095560976, {3.0, -4.0, 0.0, 0.5, 1.25, -2.0, -12.0, 0.125}},
    {0.5,
     1.0,
     116.40381882557807,
     {0.02577235012128694, -0.034363133495049256, 0.0, 0.004295391686881157, 0.010738479217202893,
      -0.017181566747524628, -0.10308940048514777, 0.0010738479217202892}},
    {0.5,
     100.0,
     116.40381882557807,
     {2.5772350121286944, -3.4363133495049256, 0.0, 0.4295391686881157, 1.0738479217202892, -1.7181566747524628,
      -10.308940048514778, 0.10738479217202893}},
    {INFINITY,
     1.0,
     12.0,
     {0.24999997916666844, -0.3333333055555579, 0.0, 0.04166666319444474, 0.10416665798611184, -0.16666665277777895,
      -0.9999999166666738, 0.010416665798611184}},
    {INFINITY, 100.0, 12.0, {3.0, -4.0, 0.0, 0.5, 1.25, -2.0, -12.0, 0.125}},
};

// Parameters with these gradients, and one that has none.
Params with_gradients(const Params& gradients) {
  Params params;
  for (const Tensor& g : gradients) {
    params.push_back(zeros(g.shape(), {.dtype = g.dtype(), .requires_grad = true}));
    params.back().set_grad(g.clone());
  }
  params.push_back(zeros({7}, {.requires_grad = true}));
  return params;
}

Params small_params(Dtype dtype = float64) {
  return with_gradients(
      {tensor({{3.0, -4.0, 0.0}, {0.5, 1.25, -2.0}}, {.dtype = dtype}), tensor({{-12.0, 0.125}}, {.dtype = dtype})});
}

template <class Function>
std::string error_of(const Function& function) {
  try {
    function();
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

}  // namespace

TEST_CASE("gradients are clipped to a norm as PyTorch clips them") {
  for (const Clipped& expected : pytorch) {
    CAPTURE(expected.norm_type);
    CAPTURE(expected.max_norm);
    for (const Dtype dtype : {float64, float32}) {
      const Params params = small_params(dtype);
      const double tolerance = dtype == float64 ? 1e-13 : 1e-6;
      const double norm = clip_grad_norm_(params, expected.max_norm, {.norm_type = expected.norm_type});
      CHECK(std::abs(norm - expected.norm) <= tolerance * expected.norm);
      const Tensor ours = cat({params[0].grad().flatten(), params[1].grad().flatten()}).to(float64);
      CHECK(allclose(ours, tensor(expected.gradients), {.rtol = tolerance, .atol = 0}));
      CHECK_FALSE(params[2].grad().defined());
    }
  }
}

TEST_CASE("gradients below the norm are not written at all") {
  const Params params = small_params();
  const Tensor held = params[0].grad();
  const auto version = held.version();
  clip_grad_norm_(params, 100);
  CHECK(held.version() == version);
  clip_grad_norm_(params, 1);
  CHECK(held.version() > version);
  CHECK(params[0].grad().is(held));
}

TEST_CASE("the norm of large gradients depends neither on the number of threads nor on the layout") {
  Generator generator(3);
  const Tensor g = randn({300, 700}, {.generator = &generator});
  const int threads = get_num_threads();
  std::vector<double> norms;
  std::vector<Tensor> clipped;
  for (const int count : {1, 3}) {
    set_num_threads(count);
    const Params params = with_gradients({g});
    norms.push_back(clip_grad_norm_(params, 0.5));
    clipped.push_back(params[0].grad());
  }
  set_num_threads(threads);
  CHECK(norms[0] == norms[1]);
  CHECK(equal(clipped[0], clipped[1]));
  CHECK(norms[0] == doctest::Approx(norm(g.to(float64)).item()).epsilon(1e-6));
  CHECK(norm(clipped[0].to(float64)).item() == doctest::Approx(0.5).epsilon(1e-5));

  Tensor strided = zeros({300, 700}, {.requires_grad = true});
  strided.set_grad(g.t().contiguous().t());
  REQUIRE_FALSE(strided.grad().is_contiguous());
  CHECK(clip_grad_norm_({strided}, 0.5) == norms[0]);
  CHECK(equal(strided.grad(), clipped[0]));
}

TEST_CASE("a norm is finite whenever the gradients are") {
  const auto norm = [](double value, Dtype dtype, double norm_type) {
    const Params params = with_gradients({full({4}, value, {.dtype = dtype})});
    return clip_grad_norm_(params, 1, {.norm_type = norm_type});
  };
  CHECK(norm(1e30, float32, 2) == doctest::Approx(2e30));
  CHECK(norm(1e300, float64, 2) == doctest::Approx(2e300));
  CHECK(norm(1e-30, float32, 2) == doctest::Approx(2e-30));
  CHECK(norm(1e-300, float64, 2) == doctest::Approx(2e-300));
  CHECK(norm(1e200, float64, 3) == doctest::Approx(std::cbrt(4) * 1e200));
  CHECK(norm(0, float32, 2) == 0);
  CHECK(clip_grad_norm_(Params{}, 1) == 0);
  CHECK(clip_grad_norm_({zeros({3}, {.requires_grad = true})}, 1) == 0);
  CHECK(clip_grad_norm_(with_gradients({zeros({0})}), 1) == 0);
}

TEST_CASE("a norm that is not finite poisons as in PyTorch, or is an error, or drops the gradients") {
  for (const double norm_type : {2.0, 1.0, infinity}) {
    CAPTURE(norm_type);
    for (const double bad : {not_a_number, infinity, -infinity}) {
      CAPTURE(bad);
      const auto make = [&] {
        return with_gradients({tensor({1.0, 2.0}, {.dtype = float64}), tensor({1.0, bad}, {.dtype = float64})});
      };
      Params params = make();
      const double norm = clip_grad_norm_(params, 1, {.norm_type = norm_type});
      CHECK_FALSE(std::isfinite(norm));
      CHECK(std::isnan(params[1].grad()[1].item()));
      CHECK((std::isnan(bad) ? std::isnan(params[0].grad()[0].item()) : params[0].grad()[0].item() == 0));

      params = make();
      const std::string size = std::isnan(bad) ? "nan" : "inf";
      CHECK(error_of([&] { clip_grad_norm_(params, 1, {.norm_type = norm_type, .error_if_nonfinite = true}); }) ==
            "clip_grad_norm_: the gradient of parameter 1 is not finite, its largest entry is " + size);
      CHECK(params[0].grad()[1].item() == 2);

      CHECK_FALSE(std::isfinite(clip_grad_norm_(params, 1, {.norm_type = norm_type, .skip_if_nonfinite = true})));
      for (const Tensor& p : params) CHECK_FALSE(p.grad().defined());
      optim::SGD optimizer(params, {.lr = 1});
      optimizer.step();
      CHECK(equal(params[0], zeros({2}, {.dtype = float64})));
    }
  }
}

TEST_CASE("a norm that is not finite names a module's parameter") {
  nn::Sequential model(nn::Linear(2, 3), nn::Linear(3, 1));
  const auto parameters = model.named_parameters();
  for (const auto& [name, p] : parameters) {
    Tensor handle = p;
    handle.set_grad(ones(p.shape()) * (name == "1.bias" ? not_a_number : 1.0));
  }
  CHECK(error_of([&] { clip_grad_norm_(parameters, 1, {.error_if_nonfinite = true}); }) ==
        "clip_grad_norm_: the gradient of 1.bias is not finite, its largest entry is nan");
}

TEST_CASE("gradients are clipped by value, NaN stays") {
  for (const Dtype dtype : {float64, float32}) {
    const Params params =
        with_gradients({tensor({3.0, -4.0, 0.5, -0.0, infinity, -infinity, not_a_number}, {.dtype = dtype}),
                        full({5000, 2}, -9, {.dtype = dtype})});
    clip_grad_value_(params, 1.5);
    const Tensor clipped = params[0].grad().to(float64);
    CHECK(equal(clipped.slice(0, 0, 6), tensor({1.5, -1.5, 0.5, -0.0, 1.5, -1.5}, {.dtype = float64})));
    CHECK(std::isnan(clipped[6].item()));
    CHECK(equal(params[1].grad(), full({5000, 2}, -1.5, {.dtype = dtype})));
    CHECK_FALSE(params[2].grad().defined());
  }
  Tensor strided = zeros({2, 3}, {.requires_grad = true});
  strided.set_grad(arange(0, 6).to(float32).reshape({3, 2}).t());
  clip_grad_value_({strided}, 2);
  CHECK(equal(strided.grad(), tensor({{0.0F, 2.0F, 2.0F}, {1.0F, 2.0F, 2.0F}})));
}

TEST_CASE("clipping's wrong options are refused") {
  const Params params = small_params();
  CHECK(error_of([&] { clip_grad_norm_(params, -1); }) == "clip_grad_norm_: max_norm must be at least 0, got -1");
  CHECK(error_of([&] { clip_grad_norm_(params, not_a_number); }) ==
        "clip_grad_norm_: max_norm must be at least 0, got nan");
  CHECK(error_of([&] { clip_grad_norm_(params, 1, {.norm_type = 0}); }) ==
        "clip_grad_norm_: norm_type must be above 0, got 0");
  CHECK(error_of([&] { clip_grad_norm_(params, 1, {.error_if_nonfinite = true, .skip_if_nonfinite = true}); }) ==
        "clip_grad_norm_: error_if_nonfinite and skip_if_nonfinite exclude each other");
  CHECK(error_of([&] { clip_grad_norm_({Tensor()}, 1); }) == "tensor: an undefined tensor was used");
  CHECK(error_of([&] { clip_grad_value_(params, -0.5); }) ==
        "clip_grad_value_: clip_value must be at least 0, got -0.5");
  CHECK(params[0].grad()[0][0].item() == 3);
}
