// What the gradient checker says, and when.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <sstream>
#include <nlohmann/json.hpp>

#include <gradus/autograd.hpp>
#include <gradus/custom_op.hpp>
#include <gradus/factory.hpp>
#include <gradus/gradcheck.hpp>
#include <gradus/nn.hpp>
#include <gradus/ops.hpp>

#include "autograd/observer.hpp"
#include "gradcheck/trial.hpp"

using namespace gradus;
using gradus::test::sample;

namespace {

using Unary = std::function<Tensor(const Tensor&)>;

Tensor at(std::initializer_list<Nested> values) { return tensor(values, {.dtype = float64}); }

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

template <class F>
std::string message_of(const F& f) {
  try {
    f();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

// y = f(x) with a derivative of our own.
Tensor custom(const std::string& name, const Tensor& x, const Unary& f,
              const std::function<Tensor(const Tensor&, const Tensor&)>& vjp) {
  const Tensor value = [&] {
    const NoGrad guard;
    return f(x);
  }();
  return custom_op(name, value, {{x, [=](const Tensor& g) { return vjp(g, x); }}});
}

Tensor bad_sin(const Tensor& x) {
  return custom(
      "bad_sin", x, [](const Tensor& v) { return sin(v); },
      [](const Tensor& g, const Tensor& v) { return g * cos(v) * 1.5; });
}

std::string cause_of(const Unary& f, const Tensor& x) {
  const GradcheckReport report = gradcheck(f, {x});
  return report.found.size() == 1 ? report.found[0].likely_cause : "culprits: " + std::to_string(report.found.size());
}

std::vector<double> doubles(const Tensor& t) {
  const Tensor dense = t.detach().to(float64).contiguous();
  const auto data = dense.data<double>();
  return {data.begin(), data.end()};
}

}  // namespace

// --- verdicts --------------------------------------------------------------------------------------------------------

TEST_CASE("a right derivative passes, with error bars smaller than the tolerance") {
  const GradcheckReport report = gradcheck([](const Tensor& x) { return tanh(x) * x; }, {sample({3, 4}, 1)});
  CHECK(report.passed());
  CHECK(static_cast<bool>(report));
  CHECK(report.reason.empty());
  CHECK(report.culprit().empty());
  REQUIRE(report.inputs.size() == 1);
  CHECK(report.inputs[0].checked == 12 * 13);  // 12 elements by 12 outputs and their random sum
  CHECK(report.inputs[0].shape == Shape{3, 4});
  for (const GradcheckEntry& entry : report.inputs[0].worst) {
    CHECK(entry.absolute_error() + entry.error_bar <= entry.tolerance);
  }
}

TEST_CASE("a wrong derivative fails, and the predicate of the report is what was tested") {
  const GradcheckReport report = gradcheck([](const Tensor& x) { return exp(bad_sin(x)); }, {sample({5}, 2)});
  CHECK(report.failed());
  CHECK(report.culprit() == "bad_sin");
  CHECK(contains(report.reason, "the derivative by input 0 is wrong: analytic "));
  for (const GradcheckEntry& entry : report.inputs[0].worst) {
    if (entry.verdict != Verdict::fail) continue;
    CHECK(entry.absolute_error() - entry.error_bar > entry.tolerance);
    CHECK(entry.reason == "they differ");
    CHECK(entry.relative_error() == doctest::Approx(1.0 / 3));
  }
}

TEST_CASE("the worst entry comes first") {
  const GradcheckReport report = gradcheck(bad_sin, {at({1.5, 0.1, 1.2})});
  const auto& worst = report.inputs[0].worst;
  REQUIRE(worst.size() >= 3);
  CHECK(worst[0].verdict == Verdict::fail);
  CHECK(worst.back().verdict <= worst.front().verdict);
}

TEST_CASE("tolerances can be chosen") {
  const auto slightly_wrong = [](const Tensor& x) {
    return custom(
        "slightly", x, [](const Tensor& v) { return sin(v); },
        [](const Tensor& g, const Tensor& v) { return g * cos(v) * 1.001; });
  };
  CHECK(gradcheck(slightly_wrong, {sample({3}, 3)}).failed());
  CHECK(gradcheck(slightly_wrong, {sample({3}, 3)}, {.rtol = 1e-2}).passed());
  CHECK(gradcheck(slightly_wrong, {sample({3}, 3)}, {.rtol = 1e-6, .atol = 1e-12}).failed());
}

TEST_CASE("at a kink the verdict is INCONCLUSIVE and tells both sides") {
  const struct {
    const char* op;
    Unary f;
    Tensor x;
  } rows[] = {
      {"relu", [](const Tensor& x) { return relu(x); }, at({0.0, 1.0})},
      {"abs", [](const Tensor& x) { return abs(x) + x; }, at({0.0, 1.0})},
      {"clamp", [](const Tensor& x) { return clamp(x, -1.0, 1.0); }, at({1.0, 0.5})},
      {"clamp", [](const Tensor& x) { return clamp(x, -1.0, 1.0); }, at({-1.0, 0.5})},
      {"max", [](const Tensor& x) { return max(x); }, at({2.0, 2.0, 1.0})},
      {"max", [](const Tensor& x) { return max(x, 0).values; }, at({2.0, 2.0, 1.0})},
      {"min", [](const Tensor& x) { return min(x); }, at({-2.0, -2.0, 1.0})},
      {"maximum",
       [](const Tensor& x) {
         return maximum(x, at({1.0, 3.0}));
       },
       at({1.0, 2.0})},
  };
  for (const auto& row : rows) {
    CAPTURE(row.op);
    const GradcheckReport report = gradcheck(row.f, {row.x});
    CHECK(report.verdict == Verdict::inconclusive);
    CHECK(contains(report.reason, std::string("at a kink of ") + row.op));
    CHECK(contains(report.reason, "the one-sided derivatives are "));
    CHECK(contains(report.reason, "lies between"));
    CHECK(report.found.empty());
  }
}

TEST_CASE("beside a kink a right derivative passes and a wrong one fails, however close") {
  const auto bad_relu = [](const Tensor& x) {
    return custom(
        "bad_relu", x, [](const Tensor& v) { return relu(v); },
        [](const Tensor& g, const Tensor& v) { return g * lt(v, 0.0).to(float64); });
  };
  for (const double distance : {1e-3, 1e-5, 1e-9, 1e-15, 1e-60, 1e-300}) {
    CAPTURE(distance);
    const Tensor x = at({distance, -distance, 1.0});
    CHECK(gradcheck([](const Tensor& v) { return relu(v); }, {x}).passed());
    CHECK(gradcheck([](const Tensor& v) { return abs(v); }, {x}).passed());
    CHECK(gradcheck([](const Tensor& v) { return where(gt(v, 0.0), 2.0 * v, -v); }, {x}).passed());
    const GradcheckReport wrong = gradcheck(bad_relu, {x});
    CHECK(wrong.failed());
    CHECK(wrong.culprit() == "bad_relu");
  }
}

TEST_CASE("a kink that no op tells of is found at the point itself") {
  const auto quiet_relu = [](const Tensor& x) {
    return custom(
        "quiet", x,
        [](const Tensor& v) {
          const Observing nobody(nullptr);
          return relu(v);
        },
        [](const Tensor& g, const Tensor& v) { return g * gt(v, 0.0).to(float64); });
  };
  const GradcheckReport report = gradcheck(quiet_relu, {at({0.0, 1.0})});
  CHECK(report.verdict == Verdict::inconclusive);
  CHECK(contains(report.reason, "at a kink"));
  CHECK(gradcheck(quiet_relu, {at({1e-4, 1.0, -1e-6})}).passed());
}

TEST_CASE("a function that differs from run to run is INCONCLUSIVE") {
  Generator generator(1);
  const auto noisy = [&](const Tensor& x) { return x * rand({3}, {.dtype = float64, .generator = &generator}); };
  const GradcheckReport report = gradcheck(noisy, {sample({3}, 4)});
  CHECK(report.verdict == Verdict::inconclusive);
  CHECK(contains(report.reason, "not deterministic"));
  CHECK(gradcheck(noisy, {sample({3}, 4)}, {.generators = {&generator}}).passed());
}

TEST_CASE("a value that is not finite is INCONCLUSIVE") {
  const GradcheckReport report = gradcheck([](const Tensor& x) { return log(x); }, {at({-1.0, 1.0})});
  CHECK(report.verdict == Verdict::inconclusive);
  CHECK(report.reason == "the function's value is not finite");
}

TEST_CASE("a derivative lost in round-off is INCONCLUSIVE, not wrong") {
  for (const double large : {1e11, 1e13, 1e15, 1e16, 1e20}) {
    CAPTURE(large);
    const auto f = [large](const Tensor& x) { return (sin(x) + large) - large; };
    const GradcheckReport report = gradcheck(f, {at({0.3, 0.7})}, {.atol = 0});
    CHECK(report.verdict == Verdict::inconclusive);
    CHECK(contains(report.reason, "round-off"));
  }
}

TEST_CASE("a zero that is computed with round-off is not held against anybody") {
  const auto f = [](const Tensor& x) {
    // 1 and 0, as a decomposition would compute them.
    return custom(
        "unit", x,
        [](const Tensor& v) {
          return stack({v / v, sin(v) * 1e-18});
        },
        [](const Tensor& g, const Tensor&) { return g[0] * 0.0; });
  };
  CHECK(gradcheck(f, {at({0.3, 0.7})}).passed());
}

// --- culprits --------------------------------------------------------------------------------------------------------

TEST_CASE("a culprit has its place, its input and its shapes") {
  const auto bad_matmul = [](const Tensor& a, const Tensor& b) {
    const Tensor value = [&] {
      const NoGrad guard;
      return matmul(a, b);
    }();
    return custom_op("bad_matmul", value,
                     {{a, [b](const Tensor& g) { return matmul(g, b.t()); }},
                      {b, [a](const Tensor& g) { return matmul(a.t(), g) * 2.0; }}});
  };
  const GradcheckReport report =
      gradcheck([&](const Tensor& a, const Tensor& b) { return exp(bad_matmul(tanh(a), b)); },
                {sample({2, 3}, 5), sample({3, 4}, 6)}, {.names = {"a", "b"}});
  REQUIRE(report.found.size() == 1);
  const GradcheckCulprit& culprit = report.found[0];
  CHECK(culprit.op == "bad_matmul");
  CHECK(culprit.place == 2);
  CHECK(culprit.ops == 3);
  CHECK(culprit.input == 1);
  CHECK(culprit.input_shape == Shape{3, 4});
  CHECK(culprit.output_shape == Shape{2, 4});
  CHECK(report.inputs[0].verdict == Verdict::pass);
  CHECK(report.inputs[1].name == "b");
  CHECK(report.inputs[1].verdict == Verdict::fail);
}

TEST_CASE("what was detached is found, wherever the value went") {
  const auto elsewhere = [](const Tensor& x) {
    const Tensor y = sin(x), z = exp(x);
    return z * sum(y).item();
  };
  GradcheckReport report = gradcheck(elsewhere, {sample({3}, 7)});
  CHECK(report.failed());
  CHECK(report.culprits() == std::vector<std::string>{"mul"});
  CHECK(contains(report.found[0].likely_cause, "off the tape"));

  report = gradcheck([](const Tensor& x) { return sum(x.detach() * 2.0); }, {sample({3}, 8)});
  CHECK(report.failed());
  CHECK(report.found.empty());
  CHECK(std::ranges::any_of(report.notes,
                            [](const std::string& note) { return contains(note, "the tape has no path to input 0"); }));
}

TEST_CASE("the search for culprits can be left out") {
  const GradcheckReport report = gradcheck(bad_sin, {sample({3}, 9)}, {.find_culprit = false});
  CHECK(report.failed());
  CHECK(report.found.empty());
}

TEST_CASE("likely causes are said in words") {
  const Tensor x = sample({3, 4}, 10);
  const struct {
    const char* words;
    Unary f;
    std::function<Tensor(const Tensor&, const Tensor&)> vjp;
  } rows[] = {
      {"the sign is wrong", [](const Tensor& v) { return cos(v); },
       [](const Tensor& g, const Tensor& v) { return g * sin(v); }},
      {"a factor 12 is too much: the input's elements", [](const Tensor& v) { return mean(sin(v)); },
       [](const Tensor& g, const Tensor& v) { return g * cos(v); }},
      {"a factor 12 is missing: the input's elements", [](const Tensor& v) { return sum(sin(v)); },
       [](const Tensor& g, const Tensor& v) { return g * cos(v) / 12.0; }},
      {"a factor 2 is missing", [](const Tensor& v) { return square(v); },
       [](const Tensor& g, const Tensor& v) { return g * v; }},
      {"off by a factor of 2/3 everywhere", [](const Tensor& v) { return v * v * v; },
       [](const Tensor& g, const Tensor& v) { return g * (2.0 * v * v); }},
      {"off by a factor of 1.013 everywhere", [](const Tensor& v) { return sin(v); },
       [](const Tensor& g, const Tensor& v) { return g * cos(v) * 1.013; }},
      {"transposed", [](const Tensor& v) { return v.t().contiguous(); },
       [](const Tensor& g, const Tensor& v) { return g.reshape(v.shape()); }},
      {"it is missing: the analytic derivative is zero", [](const Tensor& v) { return sin(v); },
       [](const Tensor& g, const Tensor&) { return g * 0.0; }},
      {"the gradient of the output is ignored", [](const Tensor& v) { return sin(v); },
       [](const Tensor&, const Tensor& v) { return cos(v); }},
      {"wrong for negative inputs only", [](const Tensor& v) { return abs(v); },
       [](const Tensor& g, const Tensor&) { return g * 1.0; }},
      {"wrong for inputs that are not negative only", [](const Tensor& v) { return v * abs(v); },
       [](const Tensor& g, const Tensor& v) { return g * -2.0 * v; }},
      {"shifted by one along dim 1",
       [](const Tensor& v) {
         return cat({v.slice(1, 1), v.slice(1, 0, 1)}, 1);
       },
       [](const Tensor& g, const Tensor&) { return g * 1.0; }},
      {"wrong in 1 of 12 elements", [](const Tensor& v) { return square(v); },
       [](const Tensor& g, const Tensor& v) {
         const Tensor wrong = (2.0 * g * v).detach().clone();
         wrong.data<double>()[7] *= 1.1;
         return wrong;
       }},
  };
  for (const auto& row : rows) {
    CAPTURE(row.words);
    const std::string cause = cause_of([&](const Tensor& v) { return custom("bad", v, row.f, row.vjp); }, x);
    CAPTURE(cause);
    CHECK(contains(cause, row.words));
  }
}

TEST_CASE("a missing sum over a broadcast dim is recognised") {
  const auto bad_bias = [](const Tensor& b) {
    const Tensor value = [&] {
      const NoGrad guard;
      return sample({3, 4}, 11) + b;
    }();
    return custom_op("bad_bias", value, {{b, [](const Tensor& g) { return g[0]; }}});
  };
  CHECK(contains(cause_of(bad_bias, sample({4}, 12)), "the sum over the broadcast dim 0 of the output is missing"));
}

TEST_CASE("a backward pass that throws fails, with its message and its op") {
  const auto one_more_dim = [](const Tensor& x) {
    return custom(
        "bad_shape", x, [](const Tensor& v) { return sum(v, {1}); },
        [](const Tensor& g, const Tensor&) { return g * 1.0; });
  };
  GradcheckReport report = gradcheck(one_more_dim, {sample({3, 4}, 13)});
  CHECK(report.failed());
  CHECK(report.reason == "the backward pass fails: bad_shape: the derivative by input 0 is (3,), the input (3, 4)");
  CHECK(report.culprit() == "bad_shape");

  const auto other_dtype = [](const Tensor& x) {
    return custom(
        "bad_dtype", x, [](const Tensor& v) { return v * 2.0; },
        [](const Tensor& g, const Tensor&) { return (g * 2.0).to(float32); });
  };
  report = gradcheck(other_dtype, {sample({3}, 14)});
  CHECK(report.failed());
  CHECK(report.reason == "the backward pass fails: bad_dtype: the derivative by input 0 is float32, the input float64");
  CHECK(report.culprit() == "bad_dtype");
}

TEST_CASE("a backward pass that is not reproducible fails") {
  const auto unsteady = [](const Tensor& x) {
    return custom_op(
        "unsteady", x.detach() * 2.0,
        {{x, [calls = std::make_shared<int>(0)](const Tensor& g) { return g * (2.0 + 1e-12 * ++*calls); }}});
  };
  const GradcheckReport report = gradcheck([&](const Tensor& x) { return sin(unsteady(x)); }, {sample({3}, 15)});
  CHECK(report.failed());
  CHECK(contains(report.reason, "the backward pass is not reproducible"));
  CHECK(report.culprit() == "unsteady");
}

TEST_CASE("a write into an input fails, and the values are put back") {
  const auto damages = [](const Tensor& x) {
    const Tensor y = sin(x);
    x.data<double>()[0] += 0.5;
    return y;
  };
  Tensor w = sample({3}, 16);
  w.set_requires_grad();
  const std::vector<double> before = doubles(w);
  const GradcheckReport report = gradcheck([&] { return damages(w); }, {w}, {.names = {"w"}});
  CHECK(report.failed());
  CHECK(report.reason == "the function changes its input w in place");
  CHECK(doubles(w) == before);
}

// --- dtypes, layouts, randomness -------------------------------------------------------------------------------------

TEST_CASE("float32 inputs are checked on a float64 copy, and the float32 gradient against that") {
  const Tensor x = sample({3, 4}, 17, float32);
  GradcheckReport report = gradcheck([](const Tensor& v) { return softmax(v, 1); }, {x});
  CHECK(report.passed());
  CHECK(report.inputs[0].dtype == float64);
  CHECK(contains(report.notes.at(0), "checked on a float64 copy"));

  report = gradcheck([](const Tensor& v) { return softmax(v, 1); }, {x}, {.float64_copy = false});
  CHECK(report.passed());
  CHECK(report.inputs[0].dtype == float32);
  CHECK(report.rtol == 3e-3);

  const auto only_single = [](const Tensor& v) {
    return custom(
        "only_single", v, [](const Tensor& u) { return u * 3.0; },
        [](const Tensor& g, const Tensor&) { return g * (g.dtype() == float32 ? 3.1 : 3.0); });
  };
  report = gradcheck(only_single, {x});
  CHECK(report.failed());
  CHECK(contains(report.reason, "in float32 the gradient is another one than in float64"));
  CHECK(report.culprit() == "only_single");
}

TEST_CASE("a gradient of nothing but round-off is the same in both dtypes") {
  const auto centered = [](const Tensor& x, const Tensor& b) {
    const Tensor y = x + b;
    return tanh(y - mean(y, {0}));
  };
  CHECK(gradcheck(centered, {sample({5, 3}, 18, float32), sample({3}, 19, float32)}).passed());
  CHECK(gradcheck(centered, {sample({5, 3}, 18), sample({3}, 19)}).passed());
}

TEST_CASE("inputs that are not contiguous are tried unless that is switched off") {
  const auto bad_view = [](const Tensor& x) {
    return custom(
        "bad_view", x, [](const Tensor& v) { return v * 2.0; },
        [](const Tensor& g, const Tensor& v) { return g * (v.is_contiguous() ? 2.0 : 1.0); });
  };
  const GradcheckReport report = gradcheck(bad_view, {sample({3, 4}, 20)});
  CHECK(report.failed());
  CHECK(contains(report.reason, "inputs that are not contiguous give another result"));
  CHECK(report.culprit() == "bad_view");
  CHECK(gradcheck(bad_view, {sample({3, 4}, 20)}, {.check_views = false}).passed());
}

TEST_CASE("the default generator is replayed for each run") {
  const auto dropout = [](const Tensor& x) { return x * bernoulli(full({4}, 0.5, {.dtype = float64})); };
  manual_seed(9);
  default_generator().next();
  const auto position = default_generator().position();
  CHECK(gradcheck(dropout, {sample({4}, 21)}).passed());
  CHECK(gradgradcheck(dropout, {sample({4}, 21)}).passed());
  CHECK(default_generator().position() == position);
}

// --- what is given back ----------------------------------------------------------------------------------------------

TEST_CASE("everything is as before, after an exception too") {
  Tensor w = sample({3}, 22);
  w.set_requires_grad();
  w.set_grad(ones({3}, {.dtype = float64}));
  const std::vector<double> before = doubles(w);
  manual_seed(3);
  const auto position = default_generator().position();
  const std::int64_t nodes = live_nodes();
  int runs = 0;
  for (const int last : {1, 2, 5, 9, 20, 1'000'000}) {
    CAPTURE(last);
    runs = 0;
    const auto fails_later = [&]() -> Tensor {
      if (++runs == last) throw std::runtime_error("enough");
      return bad_sin(w * rand({3}, {.dtype = float64}));
    };
    const NoGrad guard;  // the caller may have switched recording off
    try {
      const GradcheckReport report = gradcheck(fails_later, {w});
      CHECK(last > 5);  // the search for culprits may end early, and says so
      CHECK(report.failed());
    } catch (const std::runtime_error& error) {
      CHECK(std::string(error.what()) == "enough");
    }
    CHECK_FALSE(is_grad_enabled());
    CHECK(observer == nullptr);
    CHECK(doubles(w) == before);
    CHECK(doubles(w.grad()) == std::vector<double>{1, 1, 1});
    CHECK(default_generator().position() == position);
  }
  CHECK(live_nodes() == nodes);
}

TEST_CASE("the caller's inputs are not touched") {
  Tensor x = sample({3, 2}, 23).t();
  const std::vector<double> before = doubles(x);
  const auto version = x.version();
  CHECK(gradcheck([](const Tensor& v) { return sin(v); }, {x}).passed());
  CHECK(doubles(x) == before);
  CHECK(x.version() == version);
  CHECK_FALSE(x.requires_grad());
}

// --- functions and modules -------------------------------------------------------------------------------------------

TEST_CASE("functions may take several tensors or a list, and return one or many") {
  const Tensor a = sample({3}, 24), b = sample({3}, 25);
  CHECK(gradcheck(
            [](const Tensor& x, const Tensor& y) {
              return std::vector<Tensor>{x * y, sin(x)};
            },
            {a, b})
            .passed());
  CHECK(gradcheck([](const std::vector<Tensor>& x) { return stack(x); }, {a, b}).passed());
  const GradcheckReport report = gradcheck(
      [](const Tensor& x) {
        return std::vector<Tensor>{sin(x), bad_sin(x)};
      },
      {a});
  CHECK(report.failed());
  CHECK(report.inputs[0].worst[0].output != 0);
}

TEST_CASE("inputs that are not floating are passed on, and those that ask for a gradient are chosen") {
  const Tensor logits = sample({2, 3}, 26);
  const Tensor target = tensor({2, 0});
  const auto loss = [](const Tensor& x, const Tensor& t) { return cross_entropy(x, t); };
  GradcheckReport report = gradcheck(loss, {logits, target});
  CHECK(report.passed());
  CHECK(report.inputs.size() == 1);

  Tensor a = sample({3}, 27), b = sample({3}, 28);
  b.set_requires_grad();
  report = gradcheck([](const Tensor& x, const Tensor& y) { return bad_sin(x) * y; }, {a, b});
  CHECK(report.passed());
  REQUIRE(report.inputs.size() == 1);
  CHECK(report.inputs[0].name == "input 1");
}

TEST_CASE("a module is checked by every parameter and by its input") {
  manual_seed(4);
  const nn::Sequential model(nn::Linear(3, 4), nn::ReLU(), nn::Linear(4, 2));
  const std::vector<double> before = doubles(model.parameters()[0]);
  const GradcheckReport report = gradcheck(model, sample({5, 3}, 29, float32));
  CHECK(report.passed());
  std::vector<std::string> names;
  for (const GradcheckInput& input : report.inputs) names.push_back(input.name);
  CHECK(names == std::vector<std::string>{"0.weight", "0.bias", "2.weight", "2.bias", "input"});
  CHECK(doubles(model.parameters()[0]) == before);
  CHECK(gradgradcheck(model, sample({5, 3}, 29, float32)).passed());
}

TEST_CASE("nothing to check is said") {
  const GradcheckReport empty = gradcheck([](const Tensor& x) { return sum(x); }, {zeros({0, 2}, {.dtype = float64})});
  CHECK(empty.passed());
  CHECK(contains(empty.to_string(false), "empty: nothing to check"));
  const GradcheckReport unused =
      gradcheck([](const Tensor& x, const Tensor& y) { return x + 0.0 * y; }, {sample({2}, 30), sample({2}, 31)});
  CHECK(unused.passed());
  CHECK(contains(unused.notes.at(0), "nothing seems to depend on input 1"));
}

TEST_CASE("what cannot be checked is an error") {
  const Tensor x = sample({2}, 32);
  CHECK(message_of([] {
          gradcheck([](const Tensor& v) { return v; }, {tensor({1, 2})});
        }) == "gradcheck: none of the 1 inputs has a floating dtype");
  CHECK(message_of([&] { gradcheck([](const Tensor& a, const Tensor& b) { return a * b; }, {x}); }) ==
        "gradcheck: the function does not take 1 tensors");
  CHECK(message_of([&] { gradcheck([&] { return x * 2.0; }, {x}); }) ==
        "gradcheck: input 0 must be a leaf that requires a gradient");
  CHECK(message_of([&] { gradcheck([&] { return x * 2.0; }, {}); }) ==
        "gradcheck: a function without arguments needs tensors to be checked by");
  CHECK(contains(message_of([&] { gradcheck([&](const Tensor& v) { return matmul(v, sample({3}, 1)); }, {x}); }),
                 "matmul"));
}

// --- second order ----------------------------------------------------------------------------------------------------

TEST_CASE("gradgradcheck finds what gradcheck cannot see") {
  const auto once = [](const Tensor& x) {
    return custom(
        "once", x, [](const Tensor& v) { return sin(v); },
        [](const Tensor& g, const Tensor& v) { return g * cos(v).detach(); });
  };
  CHECK(gradcheck(once, {sample({3}, 33)}).passed());
  const GradcheckReport report = gradgradcheck(once, {sample({3}, 33)});
  CHECK(report.failed());
  CHECK(report.second_order);
  CHECK(report.culprit() == "once");
  CHECK(report.inputs.size() == 2);
  CHECK(report.inputs[1].name == "grad_output 0");
  CHECK(contains(report.to_string(false), "gradgradcheck FAIL"));
}

// --- the report ------------------------------------------------------------------------------------------------------

TEST_CASE("the report's text names verdict, worst entries, culprit, cause and predicate") {
  const GradcheckReport report = gradcheck(bad_sin, {sample({3, 4}, 34)}, {.names = {"angles"}});
  const std::string text = report.to_string(false);
  CAPTURE(text);
  for (const char* part :
       {"gradcheck FAIL: ", "angles", "analytic", "numeric", "culprit op 1 of 1, bad_sin",
        "it looks like this: off by a factor of 3/2 everywhere",
        "PASS if |analytic - numeric| + bar <= 1e-05 * max(|analytic|, |numeric|) + 1e-10 * scale"}) {
    CAPTURE(part);
    CHECK(contains(text, part));
  }
  CHECK_FALSE(contains(text, "\033["));
  CHECK(contains(report.to_string(true), "\033[31mFAIL\033[0m"));
  std::ostringstream out;
  out << report;
  CHECK(out.str() == text);
}

TEST_CASE("the report's JSON has every field") {
  const GradcheckReport report = gradcheck(bad_sin, {sample({3, 4}, 35)}, {.names = {"an \"odd\" name"}});
  const auto json = nlohmann::json::parse(report.to_json());
  CHECK(json["verdict"] == "FAIL");
  CHECK(json["reason"] == report.reason);
  CHECK(json["second_order"] == false);
  CHECK(json["inputs"][0]["name"] == "an \"odd\" name");
  CHECK(json["inputs"][0]["shape"] == nlohmann::json({3, 4}));
  CHECK(json["inputs"][0]["checked"] == report.inputs[0].checked);
  CHECK(json["inputs"][0]["worst"][0]["analytic"] == report.inputs[0].worst[0].analytic);
  CHECK(json["inputs"][0]["worst"][0]["error_bar"] == report.inputs[0].worst[0].error_bar);
  CHECK(json["culprits"][0]["op"] == "bad_sin");
  CHECK(json["culprits"][0]["likely_cause"] == report.found[0].likely_cause);

  const auto kink = nlohmann::json::parse(
      gradcheck([](const Tensor& x) { return log(x); }, {at({0.0, 1.0})}, {.fast = true}).to_json());
  CHECK(kink["verdict"] == "INCONCLUSIVE");
  CHECK(kink.contains("taylor_slope"));
}

// --- fast mode -------------------------------------------------------------------------------------------------------

TEST_CASE("fast mode's slope is 2 for a right gradient and 1 for a wrong one") {
  const Tensor x = sample({200}, 36);
  const GradcheckReport right = gradcheck([](const Tensor& v) { return sum(exp(sin(v))); }, {x}, {.fast = true});
  CHECK(right.passed());
  CHECK(right.taylor_slope == doctest::Approx(2).epsilon(0.05));
  const GradcheckReport wrong = gradcheck([](const Tensor& v) { return sum(exp(bad_sin(v))); }, {x}, {.fast = true});
  CHECK(wrong.failed());
  CHECK(wrong.taylor_slope == doctest::Approx(1).epsilon(0.05));
  const GradcheckReport linear = gradcheck([](const Tensor& v) { return sum(v * 3.0); }, {x}, {.fast = true});
  CHECK(linear.taylor_slope == 2);
}

TEST_CASE("fast mode takes as many directions as its confidence asks for") {
  const Tensor x = sample({100}, 37);
  const auto f = [](const Tensor& v) { return sum(sin(v)); };
  const GradcheckReport loose = gradcheck(f, {x}, {.rtol = 0.05, .fast = true, .confidence = 0.5});
  const GradcheckReport strict = gradcheck(f, {x}, {.rtol = 0.05, .fast = true, .confidence = 0.999});
  CHECK(loose.directions < strict.directions);
  CHECK(strict.detection_probability >= 0.999);
}

// sum(x), with a derivative that is wrong in one entry.
Tensor one_wrong_entry(const Tensor& x, std::size_t entry, double factor) {
  return custom(
      "one_entry", x, [](const Tensor& v) { return sum(v); },
      [=](const Tensor& g, const Tensor& v) {
        const Tensor wrong = (g * ones_like(v)).detach().clone();
        wrong.data<double>()[entry] *= factor;
        return wrong;
      });
}

TEST_CASE("fast mode misses one wrong entry among many as seldom as it says") {
  // At a coarse tolerance and with little confidence misses can be counted. The directions depend on the seed alone.
  int missed = 0;
  double expected = 0, variance = 0;
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    GradcheckOptions options{.rtol = 0.02, .fast = true, .confidence = 0.5, .check_views = false};
    options.find_culprit = false;
    options.seed = seed;
    const auto check = [&](double factor) {
      return gradcheck([&](const Tensor& v) { return one_wrong_entry(v, seed * 37 % 1000, factor); },
                       {sample({1000}, 38)}, options);
    };
    const double p = check(1).detection_probability;
    expected += 1 - p;
    variance += p * (1 - p);
    missed += check(2).passed() ? 1 : 0;  // off by 1, the root mean square of the entries
  }
  CAPTURE(missed);
  CAPTURE(expected);
  CHECK(expected > 10);
  CHECK(std::abs(missed - expected) < 4 * std::sqrt(variance));
}

TEST_CASE("fast mode catches one wrong entry among 100,000 at its default confidence") {
  for (std::uint64_t seed = 0; seed < 6; ++seed) {
    const auto f = [seed](const Tensor& v) { return one_wrong_entry(v, seed * 16661 + 7, 1.5); };
    const GradcheckReport report =
        gradcheck(f, {sample({100000}, 39)}, {.fast = true, .find_culprit = false, .seed = seed});
    CAPTURE(seed);
    CHECK(report.failed());
    CHECK(report.detection_probability <= 1);
  }
}
