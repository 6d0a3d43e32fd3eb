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
#include "messages.hpp"

using namespace gradus;
using tests::message_of;

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

struct AdaptivelyClipped {
  double norm_type, clip_factor, eps;
  std::vector<double> gradients;  // of a weight (3, 2, 2), and of the same as a vector
};

// Printed by tools/reference/clip_grad.py.
const std::vector<AdaptivelyClipped> timm{
    {2.0,
     0.01,
     0.001,
     {0.001,
      -0.002,
      0.0,
      0.001,
      0.0017739371879672476,
      -0.00236524958395633,
      0.00029565619799454127,
      0.0007391404949863532,
      -0.0091533641352193,
      9.534754307520104e-05,
      0.0,
      0.0007627803446016083,
      1.1522303429151362e-06,
      -2.3044606858302724e-06,
      0.0,
      1.1522303429151362e-06,
      0.0034566910287454084,
      -0.0046089213716605446,
      0.0005761151714575681,
      0.0014402879286439202,
      -0.013826764114981634,
      0.00014402879286439202,
      0.0,
      0.0011522303429151361}},
    {2.0,
     0.5,
     3.0,
     {0.001,
      -0.002,
      0.0,
      0.001,
      0.8690481892534816,
      -1.1587309190046422,
      0.14484136487558028,
      0.3621034121889507,
      -1.494738104078606,
      0.015570188584152147,
      0.0,
      0.12456150867321718,
      0.0001144311140187471,
      -0.0002288622280374942,
      0.0,
      0.0001144311140187471,
      0.3432933420562413,
      -0.45772445607498835,
      0.057215557009373544,
      0.14303889252343385,
      -1.3731733682249652,
      0.014303889252343386,
      0.0,
      0.11443111401874709}},
    {1.0,
     0.01,
     0.001,
     {0.001,
      -0.002,
      0.0,
      0.001,
      0.0017142857142857144,
      -0.002285714285714286,
      0.00028571428571428574,
      0.0007142857142857144,
      -0.016,
      0.0001666666666666667,
      0.0,
      0.0013333333333333335,
      2.0567667626491155e-06,
      -4.113533525298231e-06,
      0.0,
      2.0567667626491155e-06,
      0.006170300287947347,
      -0.008227067050596462,
      0.0010283833813245578,
      0.0025709584533113944,
      -0.024681201151789386,
      0.00025709584533113944,
      0.0,
      0.0020567667626491155}},
    {1.0,
     0.5,
     3.0,
     {0.001,
      -0.002,
      0.0,
      0.001,
      0.5142857142857142,
      -0.6857142857142857,
      0.08571428571428572,
      0.2142857142857143,
      -1.3714285714285714,
      0.014285714285714285,
      0.0,
      0.11428571428571428,
      0.00010283833813245579,
      -0.00020567667626491157,
      0.0,
      0.00010283833813245579,
      0.30851501439736734,
      -0.41135335252982314,
      0.05141916906622789,
      0.12854792266556972,
      -1.2340600575894694,
      0.012854792266556973,
      0.0,
      0.10283833813245578}},
    {INFINITY, 0.01, 0.001, {0.001,     -0.002,
                             0.0,       0.001,
                             0.001875,  -0.0025,
                             0.0003125, 0.00078125,
                             -0.00625,  6.510416666666667e-05,
                             0.0,       0.0005208333333333333,
                             6.25e-07,  -1.25e-06,
                             0.0,       6.25e-07,
                             0.001875,  -0.0025,
                             0.0003125, 0.00078125,
                             -0.0075,   7.8125e-05,
                             0.0,       0.000625}},
    {INFINITY, 0.5, 3.0, {0.001,    -0.002,   0.0, 0.001,    1.125, -1.5, 0.1875, 0.46875, -1.5, 0.015625, 0.0, 0.125,
                          0.000125, -0.00025, 0.0, 0.000125, 0.375, -0.5, 0.0625, 0.15625, -1.5, 0.015625, 0.0, 0.125}},
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
      CHECK(message_of([&] { clip_grad_norm_(params, 1, {.norm_type = norm_type, .error_if_nonfinite = true}); }) ==
            "clip_grad_norm_: the gradient of parameter 1, (2,), is not finite, its largest entry is " + size);
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
  CHECK(message_of([&] { clip_grad_norm_(parameters, 1, {.error_if_nonfinite = true}); }) ==
        "clip_grad_norm_: the gradient of 1.bias, (1,), is not finite, its largest entry is nan");
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
  CHECK(message_of([&] { clip_grad_norm_(params, -1); }) == "clip_grad_norm_: max_norm must be at least 0, got -1");
  CHECK(message_of([&] { clip_grad_norm_(params, not_a_number); }) ==
        "clip_grad_norm_: max_norm must be at least 0, got nan");
  CHECK(message_of([&] { clip_grad_norm_(params, 1, {.norm_type = 0}); }) ==
        "clip_grad_norm_: norm_type must be above 0, got 0");
  CHECK(message_of([&] { clip_grad_norm_(params, 1, {.error_if_nonfinite = true, .skip_if_nonfinite = true}); }) ==
        "clip_grad_norm_: error_if_nonfinite and skip_if_nonfinite exclude each other");
  CHECK(message_of([&] { clip_grad_norm_({Tensor()}, 1); }) == "tensor: an undefined tensor was used");
  CHECK(message_of([&] { clip_grad_value_(params, -0.5); }) ==
        "clip_grad_value_: clip_value must be at least 0, got -0.5");
  CHECK(params[0].grad()[0][0].item() == 3);
}

TEST_CASE("gradients are clipped adaptively, unit by unit, as timm does") {
  for (const AdaptivelyClipped& expected : timm) {
    CAPTURE(expected.norm_type);
    CAPTURE(expected.clip_factor);
    for (const Dtype dtype : {float64, float32}) {
      const Tensor values = (arange(-6, 6).to(dtype) / 8.0);
      const Tensor g =
          tensor({0.001, -0.002, 0.0, 0.001, 3.0, -4.0, 0.5, 1.25, -12.0, 0.125, 0.0, 1.0}, {.dtype = dtype});
      Tensor weight = values.reshape({3, 2, 2}).clone().set_requires_grad();
      Tensor bias = values.clone().set_requires_grad();
      Tensor idle = zeros({2}, {.requires_grad = true});
      weight.set_grad(g.reshape({3, 2, 2}).clone());
      bias.set_grad(g.clone());
      adaptive_clip_grad_({weight, idle, bias},
                          {.clip_factor = expected.clip_factor, .eps = expected.eps, .norm_type = expected.norm_type});
      const Tensor ours = cat({weight.grad().flatten(), bias.grad()}).to(float64);
      const double tolerance = dtype == float64 ? 1e-14 : 1e-6;
      CHECK(allclose(ours, tensor(expected.gradients, {.dtype = float64}), {.rtol = tolerance, .atol = tolerance}));
      CHECK_FALSE(idle.grad().defined());
    }
  }
}

TEST_CASE("adaptive clipping lets small gradients alone, and zero weights move") {
  Tensor weight = ones({2, 3}, {.requires_grad = true});
  weight.set_grad(full({2, 3}, 1e-3));
  const auto version = weight.grad().version();
  adaptive_clip_grad_({weight});
  CHECK(weight.grad().version() == version);

  Tensor zero = zeros({2, 2}, {.dtype = float64, .requires_grad = true});
  zero.set_grad(tensor({{3.0, 4.0}, {0.0, 0.0}}, {.dtype = float64}));
  adaptive_clip_grad_({zero});
  CHECK(allclose(zero.grad(), tensor({{6e-6, 8e-6}, {0.0, 0.0}}, {.dtype = float64}), {.rtol = 1e-12, .atol = 0}));

  // Squares of floats beyond 1e19 are none.
  weight.set_grad(full({2, 3}, 1e20));
  adaptive_clip_grad_({weight});
  CHECK(allclose(weight.grad(), full({2, 3}, 0.01), {.rtol = 1e-6, .atol = 0}));

  CHECK(message_of([&] { adaptive_clip_grad_({weight}, {.clip_factor = -1}); }) ==
        "adaptive_clip_grad_: clip_factor must be at least 0, got -1");
  CHECK(message_of([&] { adaptive_clip_grad_({weight}, {.eps = not_a_number}); }) ==
        "adaptive_clip_grad_: eps must be at least 0, got nan");
  CHECK(message_of([&] { adaptive_clip_grad_({weight}, {.norm_type = 0}); }) ==
        "adaptive_clip_grad_: norm_type must be above 0, got 0");
}

TEST_CASE("gradient noise has the variance of its step, and is the generator's") {
  const auto noise_at = [](std::int64_t t, std::uint64_t seed) {
    Tensor p = zeros({200, 100}, {.dtype = float64, .requires_grad = true});
    Tensor idle = zeros({2}, {.requires_grad = true});
    p.set_grad(full({200, 100}, 5, {.dtype = float64}));
    Generator generator(seed);
    add_gradient_noise_({p, idle}, t, {.eta = 0.3, .gamma = 0.55, .generator = &generator});
    CHECK_FALSE(idle.grad().defined());
    return p.grad() - 5.0;
  };
  for (const std::int64_t t : {0, 9, 999}) {
    CAPTURE(t);
    const Tensor noise = noise_at(t, 3);
    const double variance = 0.3 / std::pow(1 + static_cast<double>(t), 0.55);
    // 20000 draws: four standard errors of the mean and of the variance.
    CHECK(std::abs(mean(noise).item()) < 4 * std::sqrt(variance / 20000));
    CHECK(mean(square(noise)).item() == doctest::Approx(variance).epsilon(4 * std::sqrt(2.0 / 20000)));
    CHECK(equal(noise, noise_at(t, 3)));
    CHECK_FALSE(equal(noise, noise_at(t, 4)));
  }
  const Params params = small_params();
  CHECK(message_of([&] { add_gradient_noise_(params, -1); }) == "add_gradient_noise_: t must be at least 0, got -1");
  CHECK(message_of([&] { add_gradient_noise_(params, 0, {.eta = -1}); }) ==
        "add_gradient_noise_: eta and gamma must be at least 0, got -1 and 0.55");
  CHECK(params[0].grad()[0][0].item() == 3);
}
