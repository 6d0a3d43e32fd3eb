// Initialisers: their statistics, with samples large enough that a wrong factor shows, and their exact structure.
#include "gradus/nn/init.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <functional>

#include "gradus/autograd.hpp"
#include "gradus/factory.hpp"
#include "gradus/nn.hpp"
#include "gradus/ops.hpp"
#include "messages.hpp"

using namespace gradus;
using namespace gradus::nn;
using gradus::tests::message_of;

namespace {

double mean_of(const Tensor& x) { return x.to(float64).mean().item(); }
double std_of(const Tensor& x) { return x.to(float64).std().item(); }

Tensor doubles(const Shape& shape) { return empty(shape, {.dtype = float64}); }

// How far rows (or columns, if those are fewer) are from being orthonormal.
double defect(const Tensor& weight) {
  Tensor m = weight.reshape({weight.size(0), -1}).to(float64);
  if (m.size(0) > m.size(1)) m = m.t();
  return (matmul(m, m.t()) - eye(m.size(0), {.dtype = float64})).abs().max().item();
}

}  // namespace

TEST_CASE("the gains are PyTorch's") {
  using init::calculate_gain;
  using init::Nonlinearity;
  CHECK(calculate_gain(Nonlinearity::linear) == 1);
  CHECK(calculate_gain(Nonlinearity::sigmoid) == 1);
  CHECK(calculate_gain(Nonlinearity::tanh) == 5.0 / 3);
  CHECK(calculate_gain(Nonlinearity::relu) == std::sqrt(2.0));
  CHECK(calculate_gain(Nonlinearity::leaky_relu) == doctest::Approx(std::sqrt(2 / 1.0001)).epsilon(1e-15));
  CHECK(calculate_gain(Nonlinearity::leaky_relu, 0.5) == doctest::Approx(std::sqrt(1.6)).epsilon(1e-15));
  CHECK(calculate_gain(Nonlinearity::selu) == 0.75);
}

TEST_CASE("the fans of a weight count its window") {
  const auto fans = [](const Shape& shape) { return init::calculate_fans(doubles(shape)); };
  CHECK(fans({3, 5}).fan_in == 5);
  CHECK(fans({3, 5}).fan_out == 3);
  CHECK(fans({8, 4, 7}).fan_in == 28);
  CHECK(fans({8, 4, 3, 5}).fan_in == 60);
  CHECK(fans({8, 4, 3, 5}).fan_out == 120);
  CHECK(message_of([&] { fans({3}); }) == "calculate_fans: a weight of at least 2 dims is needed, got (3,)");
}

TEST_CASE("uniform and normal initialisers have the bound and the variance that their rule asks for") {
  // (60, 40, 3, 3): fan_in 360, fan_out 540
  struct Rule {
    const char* name;
    std::function<Tensor(Tensor)> fill;
    double std;
    bool uniform;
  };
  using init::FanMode;
  using init::Nonlinearity;
  const std::vector<Rule> rules = {
      {"uniform_", [](Tensor w) { return init::uniform_(w, -3, 3); }, 3 / std::sqrt(3.0), true},
      {"normal_", [](Tensor w) { return init::normal_(w, 0, 2); }, 2, false},
      {"xavier_uniform_", [](Tensor w) { return init::xavier_uniform_(w); }, std::sqrt(2.0 / 900), true},
      {"xavier_normal_", [](Tensor w) { return init::xavier_normal_(w); }, std::sqrt(2.0 / 900), false},
      {"xavier_normal_ gain", [](Tensor w) { return init::xavier_normal_(w, {.gain = 3}); }, 3 * std::sqrt(2.0 / 900),
       false},
      {"xavier_uniform_ gain", [](Tensor w) { return init::xavier_uniform_(w, {.gain = 3}); }, 3 * std::sqrt(2.0 / 900),
       true},
      {"kaiming_uniform_", [](Tensor w) { return init::kaiming_uniform_(w); }, std::sqrt(2.0 / 360), true},
      {"kaiming_uniform_ a", [](Tensor w) { return init::kaiming_uniform_(w, {.a = std::sqrt(5.0)}); },
       std::sqrt(1.0 / 3 / 360), true},
      {"kaiming_normal_ fan_out",
       [](Tensor w) {
         return init::kaiming_normal_(w, {.mode = FanMode::fan_out, .nonlinearity = Nonlinearity::relu});
       },
       std::sqrt(2.0 / 540), false},
      {"kaiming_normal_ tanh", [](Tensor w) { return init::kaiming_normal_(w, {.nonlinearity = Nonlinearity::tanh}); },
       5.0 / 3 / std::sqrt(360), false},
      {"lecun_uniform_", [](Tensor w) { return init::lecun_uniform_(w); }, std::sqrt(1.0 / 360), true},
      {"lecun_normal_", [](Tensor w) { return init::lecun_normal_(w); }, std::sqrt(1.0 / 360), false},
  };
  for (const Rule& rule : rules) {
    CAPTURE(rule.name);
    for (Dtype dtype : {float32, float64}) {
      manual_seed(4);
      Tensor w = empty({60, 40, 3, 3}, {.dtype = dtype, .requires_grad = true});
      CHECK(rule.fill(w).is(w));
      CHECK(w.is_leaf());
      // 21600 samples: the estimate of the standard deviation is off by 0.5 %, of a uniform one by less.
      CHECK(std_of(w) == doctest::Approx(rule.std).epsilon(0.02));
      CHECK(std::abs(mean_of(w)) < 4 * rule.std / std::sqrt(21600));
      const double largest = w.abs().max().item(), bound = std::sqrt(3.0) * rule.std;
      if (rule.uniform) {
        CHECK(largest <= bound * (1 + 1e-7));
        CHECK(largest > 0.999 * bound);
      } else {
        CHECK(largest > 3.5 * rule.std);
        CHECK(w.abs().lt(rule.std).to(float64).mean().item() == doctest::Approx(0.6827).epsilon(0.02));
      }
    }
  }
}

TEST_CASE("a weight that is not a convolution's has its fans from its sides alone") {
  manual_seed(1);
  CHECK(std_of(init::kaiming_normal_(doubles({200, 100}))) == doctest::Approx(std::sqrt(2.0 / 100)).epsilon(0.02));
  CHECK(std_of(init::xavier_normal_(doubles({200, 100}))) == doctest::Approx(std::sqrt(2.0 / 300)).epsilon(0.02));
}

TEST_CASE("uniform and normal take a place as well") {
  manual_seed(2);
  const Tensor u = init::uniform_(doubles({20000}), 2, 4);
  CHECK(u.min().item() >= 2);
  CHECK(u.max().item() < 4);
  CHECK(mean_of(u) == doctest::Approx(3).epsilon(0.01));
  const Tensor n = init::normal_(doubles({20000}), -5, 0.5);
  CHECK(mean_of(n) == doctest::Approx(-5).epsilon(0.01));
  CHECK(std_of(n) == doctest::Approx(0.5).epsilon(0.02));
}

TEST_CASE("trunc_normal_ stays inside, and has the moments of a truncated normal distribution") {
  manual_seed(3);
  const auto density = [](double x) { return std::exp(-x * x / 2) / std::sqrt(2 * std::acos(-1.0)); };
  const auto distribution = [](double x) { return 0.5 * std::erfc(-x / std::sqrt(2.0)); };
  struct Limits {
    double mean, std, a, b;
  };
  for (const Limits& t : {Limits{0, 1, -2, 2}, Limits{1, 2, 0, 1.5}, Limits{0, 1, 3, 5}, Limits{0, 0.5, -9, -2},
                          Limits{0, 0.02, -2, 2}}) {
    CAPTURE(t.a);
    const Tensor x = init::trunc_normal_(doubles({40000}), {.mean = t.mean, .std = t.std, .a = t.a, .b = t.b});
    CHECK(x.min().item() >= t.a);
    CHECK(x.max().item() <= t.b);
    const double low = (t.a - t.mean) / t.std, high = (t.b - t.mean) / t.std;
    // On the side where the difference of the two does not cancel.
    const double mass = low > 0 ? distribution(-low) - distribution(-high) : distribution(high) - distribution(low);
    const double shift = (density(low) - density(high)) / mass;
    const double variance = 1 + (low * density(low) - high * density(high)) / mass - shift * shift;
    CHECK(std_of(x) == doctest::Approx(t.std * std::sqrt(variance)).epsilon(0.03));
    CHECK(std::abs(mean_of(x) - (t.mean + t.std * shift)) < 5 * t.std * std::sqrt(variance) / 200);
  }
  // Ten standard deviations off, where 1 - p keeps no digit.
  const Tensor far = init::trunc_normal_(doubles({1000}), {.a = 10, .b = 11});
  CHECK(far.min().item() < 10.01);
  CHECK(mean_of(far) == doctest::Approx(10.098).epsilon(0.002));
}

TEST_CASE("orthogonal_ makes orthonormal rows, or columns where those are fewer") {
  manual_seed(5);
  for (const Shape& shape :
       {Shape{5, 5}, Shape{3, 7}, Shape{7, 3}, Shape{4, 2, 3, 3}, Shape{32, 2, 3, 3}, Shape{1, 1}}) {
    CAPTURE(to_string(shape));
    CHECK(defect(init::orthogonal_(doubles(shape))) < 1e-13);
    CHECK(defect(init::orthogonal_(empty(shape))) < 1e-6);
    CHECK(defect(init::orthogonal_(doubles(shape), {.gain = 4}) / 4.0) < 1e-13);
  }
  CHECK(init::orthogonal_(zeros({0, 3})).numel() == 0);
}

TEST_CASE("orthogonal_ favours no direction") {
  manual_seed(6);
  // The trace of a uniformly distributed rotation has mean 0 and variance 1; with R's signs left alone it has not.
  double sum = 0, squares = 0;
  for (int i = 0; i < 2000; ++i) {
    const double trace = init::orthogonal_(doubles({3, 3})).diagonal().sum().item();
    sum += trace;
    squares += trace * trace;
  }
  CHECK(std::abs(sum / 2000) < 0.1);
  CHECK(squares / 2000 == doctest::Approx(1).epsilon(0.15));
}

TEST_CASE("constants, the identity and its convolution") {
  Tensor w = ones({2, 3}, {.requires_grad = true});
  CHECK(equal(init::constant_(w, 2.5), full({2, 3}, 2.5)));
  CHECK(equal(init::ones_(w), ones({2, 3})));
  CHECK(equal(init::zeros_(w), zeros({2, 3})));
  CHECK(equal(init::eye_(w), tensor({{1.0, 0.0, 0.0}, {0.0, 1.0, 0.0}})));
  CHECK(w.is_leaf());
  CHECK(w.requires_grad());
  CHECK_FALSE(equal(init::normal_(w), zeros({2, 3})));

  const Tensor line = init::dirac_(ones({3, 2, 3}));
  CHECK(equal(line, tensor({{{0.0, 1.0, 0.0}, {0.0, 0.0, 0.0}},
                            {{0.0, 0.0, 0.0}, {0.0, 1.0, 0.0}},
                            {{0.0, 0.0, 0.0}, {0.0, 0.0, 0.0}}})));
  // As in PyTorch the middle of an even window is the place behind it.
  const Tensor grouped = init::dirac_(empty({4, 3, 2, 3}), 2);
  CHECK(grouped.sum().item() == 4);
  for (std::int64_t i = 0; i < 4; ++i) CHECK(grouped[i][i % 2][1][1].item() == 1);
  CHECK(init::dirac_(empty({2, 2, 3, 3, 3}))[1][1][1][1][1].item() == 1);
}

TEST_CASE("sparse_ leaves the share of each column 0 that it is told to") {
  manual_seed(7);
  const Tensor w = init::sparse_(doubles({10, 400}), 0.25, {.std = 2});
  const Tensor none = w.eq(0.0).to(float64);
  CHECK(equal(none.sum(0), full({400}, 3, {.dtype = float64})));  // 2.5, rounded up
  // Which rows these are is a matter of chance.
  CHECK(none.mean(1).min().item() > 0.2);
  CHECK(none.mean(1).max().item() < 0.4);
  CHECK(std_of(w.masked_select(w.ne(0.0))) == doctest::Approx(2).epsilon(0.05));
  CHECK(init::sparse_(doubles({4, 3}), 1).abs().max().item() == 0);
  CHECK(init::sparse_(doubles({4, 3}), 0).abs().min().item() > 0);
}

TEST_CASE("a generator of one's own gives the numbers of its seed, in either dtype, and leaves the default one alone") {
  const std::vector<std::function<Tensor(Tensor, Generator*)>> all = {
      [](Tensor w, Generator* g) { return init::uniform_(w, -1, 1, g); },
      [](Tensor w, Generator* g) { return init::normal_(w, 0, 1, g); },
      [](Tensor w, Generator* g) { return init::trunc_normal_(w, {.generator = g}); },
      [](Tensor w, Generator* g) { return init::xavier_uniform_(w, {.generator = g}); },
      [](Tensor w, Generator* g) { return init::xavier_normal_(w, {.generator = g}); },
      [](Tensor w, Generator* g) { return init::kaiming_uniform_(w, {.generator = g}); },
      [](Tensor w, Generator* g) { return init::kaiming_normal_(w, {.generator = g}); },
      [](Tensor w, Generator* g) { return init::lecun_uniform_(w, g); },
      [](Tensor w, Generator* g) { return init::lecun_normal_(w, g); },
      [](Tensor w, Generator* g) { return init::orthogonal_(w, {.generator = g}); },
      [](Tensor w, Generator* g) { return init::sparse_(w, 0.5, {.generator = g}); },
  };
  manual_seed(0);
  for (std::size_t i = 0; i < all.size(); ++i) {
    CAPTURE(i);
    Generator first(9), second(9), other(10);
    const Tensor w = all[i](empty({4, 5}), &first);
    CHECK(equal(w, all[i](doubles({4, 5}), &second).to(float32)));
    CHECK_FALSE(equal(w, all[i](empty({4, 5}), &other)));
  }
  CHECK(default_generator().position() == 0);
}

TEST_CASE("lsuv_ gives each layer an output of variance 1, whatever lies between them") {
  manual_seed(8);
  nn::Sequential model(
      nn::Linear(20, 64), nn::ReLU(), nn::Linear(64, 64, {.bias = false}), nn::Tanh(),
      nn::Sequential(nn::Linear(64, 48), nn::Sigmoid()), [](const Tensor& x) { return x * 50.0; }, nn::Linear(48, 10));
  const Tensor batch = randn({256, 20}) * 30.0;
  const std::vector<double> variances = init::lsuv_(model, batch);
  REQUIRE(variances.size() == 4);
  for (double v : variances) CHECK(v == doctest::Approx(1).epsilon(1e-3));
  // The variances are the model's, and orthonormal weights were only scaled.
  NoGrad guard;
  CHECK(model(batch).var({}, {.correction = 0}).item() == doctest::Approx(1).epsilon(1e-3));
  CHECK(model.parameters()[1].abs().max().item() == 0);
  const Tensor w = model.parameters()[2];
  CHECK(defect(w / w[0].norm()) < 1e-5);
  for (const Tensor& p : model.parameters()) CHECK((p.requires_grad() && p.is_leaf()));
}

TEST_CASE("lsuv_ can start from the weights that are there, and takes more than one step where a bias has a part") {
  manual_seed(9);
  nn::Sequential model(nn::Linear(5, 7));
  init::normal_(model.parameters()[1], 0, 0.5);
  const Tensor bias = model.parameters()[1].detach().clone(), weight = model.parameters()[0].detach().clone();
  const Tensor batch = randn({500, 5}) * 10.0;
  const std::vector<double> variances = init::lsuv_(model, batch, {.tolerance = 1e-3, .orthogonal = false});
  CHECK(std::abs(variances.at(0) - 1) < 1e-3);
  CHECK(equal(model.parameters()[1], bias));
  const Tensor ratio = model.parameters()[0].detach() / weight;
  CHECK(allclose(ratio, ratio[0][0].expand({7, 5})));
  // No trial: what is there is measured only.
  CHECK(std::abs(init::lsuv_(model, batch * 2.0, {.max_trials = 0, .orthogonal = false}).at(0) - 1) > 0.5);
}

TEST_CASE("wrong initialisers are refused with one exact line") {
  const std::vector<std::pair<std::function<void()>, std::string>> wrong = {
      {[] { init::uniform_(zeros({2}), 1, 0); }, "uniform_: a must not exceed b, got 1 and 0"},
      {[] { init::normal_(zeros({2}), 0, -1); }, "normal_: std must be at least 0, got -1"},
      {[] { init::normal_(tensor({1})); }, "normal_: a floating dtype is needed, got int64"},
      {[] { init::trunc_normal_(zeros({2}), {.a = 2, .b = 2}); }, "trunc_normal_: a must be below b, got 2 and 2"},
      {[] { init::trunc_normal_(zeros({2}), {.std = 0}); }, "trunc_normal_: std must be above 0, got 0"},
      {[] { init::eye_(zeros({2})); }, "eye_: a tensor of 2 dims is needed, got (2,)"},
      {[] {
         init::dirac_(zeros({2, 2}));
       },
       "dirac_: a weight of 3, 4 or 5 dims is needed, got (2, 2)"},
      {[] {
         init::dirac_(zeros({3, 2, 3}), 2);
       },
       "dirac_: groups must divide the output channels, got 2 and 3"},
      {[] {
         init::dirac_(zeros({3, 2, 3}), 0);
       },
       "dirac_: groups must divide the output channels, got 0 and 3"},
      {[] { init::xavier_uniform_(zeros({3})); }, "xavier_uniform_: a weight of at least 2 dims is needed, got (3,)"},
      {[] { init::kaiming_normal_(zeros({3})); }, "kaiming_normal_: a weight of at least 2 dims is needed, got (3,)"},
      {[] { init::orthogonal_(zeros({3})); }, "orthogonal_: a tensor of at least 2 dims is needed, got (3,)"},
      {[] { init::sparse_(zeros({3}), 0.5); }, "sparse_: a tensor of 2 dims is needed, got (3,)"},
      {[] {
         init::sparse_(zeros({3, 2}), 1.5);
       },
       "sparse_: sparsity must be in [0, 1], got 1.5"},
      {[] {
         nn::Sequential model(nn::Linear(2, 3));
         init::lsuv_(model, zeros({4, 2}));
       },
       "lsuv_: the output (4, 3) of layer 0 has variance 0"},
      {[] {
         nn::Sequential model;
         init::lsuv_(model, zeros({4, 2}), {.tolerance = 0});
       },
       "lsuv_: tolerance must be above 0, got 0"},
  };
  for (const auto& [call, message] : wrong) {
    CAPTURE(message);
    CHECK(message_of(call) == message);
  }
}
