// What ops with kinks and jumps tell an observer: another way on the other side of a kink, the same way elsewhere.
#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <vector>

#include <gradus/factory.hpp>
#include <gradus/ops.hpp>

#include "autograd/observer.hpp"
#include "ops/checks.hpp"

namespace gradus::test {
namespace {

struct Notes : Observer {
  void branched(const char*, const Tensor& ways) override { taken.push_back(values(ways)); }
  std::vector<std::vector<double>> taken;
};

using Op = std::function<void(const Tensor&)>;

std::vector<std::vector<double>> ways(const Op& op, const std::vector<double>& x) {
  Notes notes;
  const Observing watch(&notes);
  op(tensor(std::span<const double>(x), {static_cast<std::int64_t>(x.size())}));
  return notes.taken;
}

struct Step {
  const char* what;
  Op op;
  std::vector<double> from, to;
  bool crosses;
};

const std::vector<Step>& steps() {
  static const std::vector<Step> all = {
      {"leaky_relu over 0", [](const Tensor& x) { leaky_relu(x); }, {-0.1, 1}, {0.1, 1}, true},
      {"leaky_relu beside 0", [](const Tensor& x) { leaky_relu(x); }, {0.1, 1}, {0.2, 1}, false},
      {"elu over 0, smooth for alpha 1", [](const Tensor& x) { elu(x); }, {-0.1}, {0.1}, false},
      {"elu over 0", [](const Tensor& x) { elu(x, 2); }, {-0.1}, {0.1}, true},
      {"selu over 0", [](const Tensor& x) { selu(x); }, {-0.1}, {0.1}, true},
      {"hardtanh over 1", [](const Tensor& x) { hardtanh(x); }, {0.9}, {1.1}, true},
      {"hardtanh over -1", [](const Tensor& x) { hardtanh(x); }, {-0.9}, {-1.1}, true},
      {"hardtanh inside", [](const Tensor& x) { hardtanh(x); }, {-0.9}, {0.9}, false},
      {"floor over 2", [](const Tensor& x) { floor(x); }, {1.9}, {2.1}, true},
      {"round over 2", [](const Tensor& x) { round(x); }, {1.9}, {2.1}, false},
      {"round over 2.5", [](const Tensor& x) { round(x); }, {2.4}, {2.6}, true},
      {"remainder over a multiple", [](const Tensor& x) { remainder(x, 1.5); }, {2.9}, {3.1}, true},
      {"remainder between", [](const Tensor& x) { remainder(x, 1.5); }, {1.6}, {2.9}, false},
      {"atan2 over its cut", [](const Tensor& x) { atan2(x, full_like(x, -1)); }, {-0.1}, {0.1}, true},
      {"atan2 elsewhere", [](const Tensor& x) { atan2(x, full_like(x, 1)); }, {-0.1}, {0.1}, false},
      {"1-norm, one element over 0", [](const Tensor& x) { norm(x, 1); }, {-0.1, 1}, {0.1, 1}, true},
      {"2-norm, one element over 0", [](const Tensor& x) { norm(x); }, {-0.1, 1}, {0.1, 1}, false},
      {"2-norm through the origin", [](const Tensor& x) { norm(x); }, {-0.1, 0}, {0.1, 0}, true},
      {"infinity norm, a new largest", [](const Tensor& x) { norm(x, INFINITY); }, {0.9, -1}, {1.1, -1}, true},
      {"infinity norm, a small one over 0", [](const Tensor& x) { norm(x, INFINITY); }, {0.1, -1}, {-0.1, -1}, false},
      {"std over a value of its own", [](const Tensor& x) { gradus::std(x); }, {0.9, 1, 1}, {1.1, 1, 1}, true},
      {"std over the mean", [](const Tensor& x) { gradus::std(x); }, {0.9, 0, 2}, {1.1, 0, 2}, false},
      {"amax, a new largest", [](const Tensor& x) { amax(x); }, {0.9, 1}, {1.1, 1}, true},
      {"median, another element", [](const Tensor& x) { median(x); }, {0.9, 1, 2}, {1.1, 1, 2}, true},
      {"median, the same element", [](const Tensor& x) { median(x); }, {0.8, 1, 2}, {0.9, 1, 2}, false},
      {"sort, two change places", [](const Tensor& x) { sort(x); }, {0.9, 1}, {1.1, 1}, true},
      {"sort, the same order", [](const Tensor& x) { sort(x); }, {0.8, 1}, {0.9, 1}, false},
      {"topk, another one", [](const Tensor& x) { topk(x, 1); }, {0.9, 1}, {1.1, 1}, true},
  };
  return all;
}

TEST_CASE("an op notes another way when an element crosses a kink, and the same way when it does not") {
  for (const Step& step : steps()) {
    CAPTURE(step.what);
    const auto from = ways(step.op, step.from), to = ways(step.op, step.to);
    CHECK((from != to) == step.crosses);
  }
}

}  // namespace
}  // namespace gradus::test
