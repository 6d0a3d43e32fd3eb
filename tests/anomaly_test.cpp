// Anomaly detection: the first op whose value or derivative is NaN or infinite is named, and where it was recorded.
// (This file is compiled with -g, so that lines can be told.)
#include <doctest/doctest.h>

#include <cmath>
#include <cstdlib>
#include <limits>
#include <string>
#include <vector>

#include <gradus/anomaly.hpp>
#include <gradus/autograd.hpp>
#include <gradus/custom_op.hpp>
#include <gradus/factory.hpp>
#include <gradus/nn.hpp>
#include <gradus/ops.hpp>
#include <gradus/random.hpp>

#include "autograd/call_site.hpp"
#include "autograd/observer.hpp"
#include "messages.hpp"

using namespace gradus;
using tests::contains;
using tests::message_of;

namespace {

Tensor leaf(std::initializer_list<Nested> values) { return tensor(values, {.dtype = float64, .requires_grad = true}); }

// The message up to the place in the program.
std::string rule(const std::string& message) { return message.substr(0, message.find(", recorded at ")); }

struct Counter final : Observer {
  Tensor recorded(const Node&, Tensor result) override {
    ++ops;
    return result;
  }
  void arrived(const Node&, const Tensor&) override { ++gradients; }
  int ops = 0;
  int gradients = 0;
};

}  // namespace

int line_of_log = 0;

__attribute__((noinline)) Tensor risky_logarithm(const Tensor& x) {
  const Tensor shifted = x - 1.0;
  line_of_log = __LINE__ + 1;
  Tensor y = log(shifted);
  return y + 0.0;
}

TEST_CASE("the first op whose value is not finite is named") {
  Tensor x = leaf({3, 1});
  const DetectAnomaly guard;
  const std::string message = message_of([&] { risky_logarithm(x); });
  CHECK(rule(message) ==
        "log: the value is -inf at (1,) of float64 (2,); its inputs on the tape are finite; op 2 on the tape");
  CHECK(message.find('\n') == std::string::npos);
  const Tensor bad = leaf({1, std::nan("")});
  CHECK(rule(message_of([&] { 2.0 * bad; })) ==
        "mul: the value is nan at (1,) of float64 (2,); input 0, a leaf, is nan at (1,) of float64 (2,); op 3 on the "
        "tape");
  CHECK(rule(message_of([&] {
          exp(leaf({{0, 0}, {1e4, 0}}).t());
        })) ==
        "exp: the value is inf at (0, 1) of float64 (2, 2); its inputs on the tape are finite; op 5 on the tape");
}

TEST_CASE("an anomaly is told with the line of the program that recorded it") {
  Tensor x = leaf({3, 1});
  const DetectAnomaly guard;
  const std::string message = message_of([&] { risky_logarithm(x); });
  CAPTURE(message);
  if (calls_in_progress().empty()) return;  // the system cannot tell
  if (std::system("addr2line --version > /dev/null 2>&1") != 0) return;
  CHECK(contains(message, "anomaly_test.cpp:" + std::to_string(line_of_log) +
                              " in risky_logarithm(gradus::Tensor const&), called from "));
}

TEST_CASE("the first derivative that is not finite is named, with its op's place in the forward pass") {
  Tensor x = leaf({4, 0});
  const DetectAnomaly guard;
  const Tensor y = sum(sqrt(x * 1.0) * 3.0);
  const std::string message = message_of([&] { y.backward(); });
  CHECK(rule(message) ==
        "sqrt: the derivative by input 0 is inf at (1,) of float64 (2,), of a finite gradient; op 2 on the tape");
  if (!calls_in_progress().empty()) CHECK(contains(message, ", recorded at "));
  CHECK_FALSE(x.grad().defined());
}

TEST_CASE("a gradient made infinite by a hook or by its sum is not blamed on a derivative") {
  Tensor x = leaf({1, 2});
  const DetectAnomaly guard;
  const Tensor y = 2.0 * x;
  y.register_hook([](const Tensor& g) { return g / 0.0; });
  CHECK(
      rule(message_of([&] { sum(y).backward(); })) ==
      "mul: the gradient that arrives is inf at (0,) of float64 (2,): it was given so, or made by a hook or by summing "
      "finite ones; op 1 on the tape");
}

TEST_CASE("in a recorded backward pass the op is told whose derivative it is part of") {
  Tensor x = leaf({4, 1e-200});
  const DetectAnomaly guard;
  const Tensor y = sum(log(x));  // its second derivative is -1e400
  const Tensor first = grad(y, {x}, {.create_graph = true})[0];
  const std::string message = message_of([&] { grad(sum(first), {x}); });
  CAPTURE(message);
  CHECK(contains(message, " on the tape, in the derivative of 'log'"));
  CHECK(contains(message, "inf at (1,)"));
}

TEST_CASE("an op recorded before detection was switched on is named without a place") {
  Tensor x = leaf({0});
  const Tensor y = sum(sqrt(x));
  const DetectAnomaly guard;
  CHECK(
      message_of([&] { y.backward(); }) ==
      "sqrt: the derivative by input 0 is inf at (0,) of float64 (1,), of a finite gradient; recorded before anomalies "
      "were looked for");
}

TEST_CASE("infinities may be allowed, NaN never is") {
  Tensor x = leaf({0, 1});
  const DetectAnomaly guard(true, {.infinite = false});
  const Tensor y = log(x);
  CHECK(contains(message_of([&] { y - y; }), "sub: the value is nan at (0,)"));
}

TEST_CASE("anomaly detection is off by default, nests and ends with its scope") {
  Tensor x = leaf({-1});
  CHECK_FALSE(is_anomaly_enabled());
  CHECK(std::isnan(log(x)[0].item()));
  {
    const DetectAnomaly guard;
    CHECK(is_anomaly_enabled());
    {
      const DetectAnomaly off(false);
      CHECK_FALSE(is_anomaly_enabled());
      CHECK(std::isnan(log(x)[0].item()));
    }
    CHECK(message_of([&] { log(x); }) != "");
    const NoGrad no_tape;
    CHECK(std::isnan(log(x)[0].item()));  // not recorded, not looked at
  }
  CHECK_FALSE(is_anomaly_enabled());
  set_detect_anomaly(true);
  CHECK(message_of([&] { log(x); }) != "");
  set_detect_anomaly(false);
  CHECK(observer == nullptr);
}

TEST_CASE("an anomaly leaves no node behind and the graph usable") {
  const std::int64_t nodes = live_nodes();
  {
    Tensor x = leaf({4, 0});
    const Tensor y = sum(sqrt(x));
    {
      const DetectAnomaly guard;
      CHECK(message_of([&] { log(x * 1.0); }) != "");
      CHECK(message_of([&] { y.backward({.retain_graph = true}); }) != "");
    }
    y.backward();
    CHECK(x.grad()[0].item() == 0.25);
  }
  CHECK(live_nodes() == nodes);
}

TEST_CASE("fused layers are taken apart while anomalies are looked for, and values stay the same") {
  manual_seed(1);
  nn::Sequential model(nn::Linear(3, 4), nn::ReLU(), nn::Linear(4, 2));
  const Tensor x = randn({5, 3});
  const Tensor plain = model(x);
  const DetectAnomaly guard;
  const Tensor watched = model(x);
  CHECK(allclose(plain, watched));
  sum(watched).backward();
  {
    const NoGrad no_tape;
    model.parameters()[2].fill_(std::numeric_limits<double>::infinity());
  }
  CHECK(contains(message_of([&] { model(x); }), "linear: the value is "));
}

TEST_CASE("another observer watches beside the detection, and nullptr hides both") {
  Tensor x = leaf({4, 0});
  const DetectAnomaly guard;
  Counter counter;
  {
    const Observing observing(&counter);
    const Tensor y = sum(x * x);
    CHECK(counter.ops == 2);
    y.backward();
    CHECK(counter.gradients == 2);
    CHECK(message_of([&] { log(x); }) != "");
    Counter inner;
    {
      const Observing instead(&inner);
      x* x;
      CHECK(message_of([&] { log(x); }) != "");
    }
    CHECK(inner.ops == 2);
    CHECK(counter.ops == 3);
    const Observing nobody(nullptr);
    CHECK(std::isinf(log(x)[1].item()));
  }
  CHECK(message_of([&] { log(x); }) != "");
}

TEST_CASE("inside of another observer detection is refused in words") {
  Counter counter;
  const Observing observing(&counter);
  CHECK(message_of([] { set_detect_anomaly(true); }) ==
        "set_detect_anomaly: not inside of a gradient check; switch it on around that");
  CHECK_FALSE(is_anomaly_enabled());
}

TEST_CASE("calls that cannot be resolved are left out") {
  CHECK(describe_calls({}) == "");
  int local = 0;
  CHECK(describe_calls({nullptr, &local}) == "");
}
