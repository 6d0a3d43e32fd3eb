// Right functions at points where differences of values have a hard time.

#include <cmath>
#include <limits>
#include <memory>

#include <gradus/autograd.hpp>
#include <gradus/custom_op.hpp>
#include <gradus/factory.hpp>
#include <gradus/nn.hpp>
#include <gradus/ops.hpp>

#include "gradcheck/trial.hpp"

namespace gradus::test {
namespace {

using Unary = std::function<Tensor(const Tensor&)>;

Tensor at(std::initializer_list<Nested> values) { return tensor(values, {.dtype = float64}); }

Tensor scaled(const Tensor& x, double factor) {
  const NoGrad guard;
  return x * factor;
}

Tensor shifted(const Tensor& x, double by) {
  const NoGrad guard;
  return x + by;
}

class Dropout : public nn::Module {
 public:
  Tensor forward(const Tensor& x) override { return x * bernoulli(full(x.shape(), 0.5, {.dtype = x.dtype()})) / 0.5; }
};

class RunningMean : public nn::Module {
 public:
  nn::Buffer average{zeros({4})};
  GRADUS_MODULE(average)
  Tensor forward(const Tensor& x) override {
    {
      const NoGrad guard;
      average.mul_(0.9).add_(mean(x.detach(), {0}), 0.1);
    }
    return tanh(x - mean(x, {0}));
  }
};

Tensor inverse_2x2(const Tensor& m) {
  const Tensor a = m[0][0], b = m[0][1], c = m[1][0], d = m[1][1];
  return stack({d, -b, -c, a}) / (a * d - b * c);
}

// Solves A y = b by Gauss and Jordan, in ops.
Tensor solve(const Tensor& a, const Tensor& b) {
  const std::int64_t n = a.size(0);
  std::vector<Tensor> rows;
  for (std::int64_t i = 0; i < n; ++i) rows.push_back(cat({a[i], unsqueeze(b[i], 0)}));
  for (std::int64_t i = 0; i < n; ++i) {
    const auto pivot = static_cast<std::size_t>(i);
    rows[pivot] = rows[pivot] / rows[pivot][i];
    for (std::size_t j = 0; j < rows.size(); ++j) {
      if (j != pivot) rows[j] = rows[j] - rows[j][i] * rows[pivot];
    }
  }
  std::vector<Tensor> y;
  for (const Tensor& row : rows) y.push_back(row[n]);
  return stack(y);
}

Tensor hilbert(std::int64_t n) {
  std::vector<double> values;
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t j = 0; j < n; ++j) values.push_back(1.0 / static_cast<double>(i + j + 1));
  }
  return tensor(std::span<const double>(values), {n, n}, {.dtype = float64});
}

std::vector<Hard> make() {
  std::vector<Hard> all;
  const auto add_check = [&](const std::string& name, const std::function<GradcheckReport()>& check) {
    all.push_back({name, check});
  };
  const auto add = [&](const std::string& name, const Unary& f, const Tensor& x) {
    all.push_back({name, [=] { return gradcheck(f, {x}); }});
  };
  const auto add_two = [&](const std::string& name, const std::function<Tensor(const Tensor&, const Tensor&)>& f,
                           const Tensor& a, const Tensor& b) {
    all.push_back({name, [=] { return gradcheck(f, {a, b}); }});
  };
  const Tensor x = sample({3, 4}, 1);
  const auto relu_of = [](const Tensor& v) { return relu(v); };

  // --- kinks ---
  add("relu at 0", relu_of, at({0.0, 1.0, -1.0}));
  add("relu 1e-3 beside 0", relu_of, at({1e-3, -1e-3}));
  add("relu 1e-9 beside 0", relu_of, at({1e-9, -1e-9, 1.0}));
  add("relu 1e-15 beside 0", relu_of, at({1e-15, -1e-15, 3.0}));
  add("relu 1e-100 beside 0", relu_of, at({1e-100, -1e-100}));
  add("relu 1e-300 beside 0, among ones", relu_of, at({1e-300, -1e-300, 1.0, -1.0}));
  add(
      "relu behind a product", [](const Tensor& v) { return relu(v * v[0] - 1e-7); }, at({1e-3, 0.5, -2.0}));
  add(
      "abs near 0", [](const Tensor& v) { return abs(v) * exp(v); }, at({1e-8, -1e-8, 1e-4, 2.0}));
  add(
      "clamp close to its bounds", [](const Tensor& v) { return clamp(v, -1.0, 1.0); },
      at({1.0 + 1e-7, 1.0 - 1e-7, -1.0 - 1e-5, -1.0 + 1e-10, 0.0}));
  add(
      "max of almost equal elements", [](const Tensor& v) { return max(v); }, at({1.0, 1.0 + 1e-9, 1.0 - 1e-7}));
  add_two(
      "maximum of almost equal tensors", [](const Tensor& a, const Tensor& b) { return maximum(a, b) * a; },
      at({1.0, 2.0, 3.0}), at({1.0 + 1e-8, 2.0 - 1e-10, 3.1}));
  add(
      "where, close to its threshold", [](const Tensor& v) { return where(gt(v, 0.5), square(v), -v); },
      at({0.5 + 1e-9, 0.5 - 1e-9, 0.75}));
  add(
      "norm with p = 1 near 0", [](const Tensor& v) { return norm(v, 1); }, at({1e-6, -1e-6, 1.0}));
  add(
      "a hundred relus, some close", [](const Tensor& v) { return sum(relu(v) * v); }, sample({100}, 2));
  add(
      "relu network of depth 6",
      [](const Tensor& v) {
        Tensor h = v;
        for (std::uint64_t i = 0; i < 6; ++i) h = relu(matmul(h, sample({8, 8}, 30 + i)));
        return sum(h);
      },
      sample({4, 8}, 3));
  add(
      "square of relu at 0, smooth enough", [](const Tensor& v) { return relu(v) * relu(v); }, at({1e-5, -1e-5, 1.0}));
  add(
      "rounded, with a gradient of zero", [](const Tensor& v) { return sign(v) * 3.0; }, at({1.0, -0.1, 2.0}));

  // --- cancellation and round-off ---
  add(
      "1 - cos x for small x", [](const Tensor& v) { return 1.0 - cos(v); }, at({1e-4, 1e-3, -1e-5}));
  add(
      "(1e8 + x) - 1e8", [](const Tensor& v) { return (v + 1e8) - 1e8; }, x);
  add(
      "(1e12 + x)^2", [](const Tensor& v) { return square(v + 1e12); }, x);
  add(
      "difference of large squares", [](const Tensor& v) { return square(v + 1e5) - square(v - 1e5); }, x);
  add(
      "sum of terms of 1e10 that cancel",
      [](const Tensor& v) { return sum(v * 1e10) - sum(v.t() * 1e10) + sum(sin(v)); }, x);
  add(
      "log of 1 + tiny", [](const Tensor& v) { return log(v + 1.0); }, at({1e-10, 1e-6, -1e-8}));
  add(
      "exp(x) - 1 near 0", [](const Tensor& v) { return exp(v) - 1.0; }, at({1e-9, 1e-6, 0.0}));
  add(
      "variance of numbers near 1e6", [](const Tensor& v) { return mean(square(v)) - square(mean(v)); },
      shifted(x, 1e6));

  // --- scales ---
  add(
      "1e150", [](const Tensor& v) { return v * 2.0 + sum(v); }, scaled(x, 1e150));
  add(
      "square of 1e150", [](const Tensor& v) { return square(v); }, scaled(x, 1e150));
  add(
      "1e-150", [](const Tensor& v) { return v * sin(v * 1e150); }, scaled(x, 1e-150));
  add(
      "square of 1e-150", [](const Tensor& v) { return square(v); }, scaled(x, 1e-150));
  add(
      "reciprocal of 1e-150", [](const Tensor& v) { return 1.0 / v; }, scaled(x, 1e-150));
  add(
      "values from 1e-12 to 1e12", [](const Tensor& v) { return v * v; }, at({1e-12, 1e-6, 1.0, -1e6, 1e12}));
  add(
      "sum of values from 1e-6 to 1e6", [](const Tensor& v) { return sum(v * v); }, at({1e-6, 1e-3, 1.0, -1e3, 1e6}));
  add(
      "a derivative of 1e200", [](const Tensor& v) { return v * 1e200; }, x);
  add_two(
      "one huge, one tiny", [](const Tensor& a, const Tensor& b) { return a * b; }, scaled(x, 1e100),
      scaled(sample({3, 4}, 4), 1e-100));

  // --- saturation ---
  add(
      "saturated sigmoid", [](const Tensor& v) { return sigmoid(v); }, at({-40.0, 40.0, 100.0, -100.0, 0.0}));
  add(
      "saturated tanh", [](const Tensor& v) { return tanh(v); }, at({-30.0, 30.0, 19.0, 5.0}));
  add(
      "flat far away: exp(-x^2)", [](const Tensor& v) { return exp(-square(v)); }, at({10.0, -20.0, 3.0}));
  add(
      "softmax of logits of 1e4", [](const Tensor& v) { return softmax(v, 0); }, at({1e4, -1e4, 0.0, 9999.0}));
  add(
      "log_softmax of logits of 1e4", [](const Tensor& v) { return log_softmax(v, 0); }, at({1e4, -1e4, 0.0, 9999.0}));
  add(
      "logsumexp of logits of 1e3", [](const Tensor& v) { return logsumexp(v, {0}); }, at({1e3, 1e3 - 1, -1e3}));
  add(
      "cross entropy of a sure net",
      [](const Tensor& v) {
        return cross_entropy(v, tensor({0, 1}));
      },
      at({{50.0, -50.0, 0.0}, {30.0, -20.0, 10.0}}));
  add(
      "softplus far out", [](const Tensor& v) { return softplus(v); }, at({-50.0, 50.0, 800.0, -800.0}));
  add(
      "gelu far out", [](const Tensor& v) { return gelu(v); }, at({-8.0, -30.0, 8.0, 0.0}));
  add(
      "binary cross entropy of sure logits",
      [](const Tensor& v) {
        return binary_cross_entropy_with_logits(v, at({1.0, 0.0, 1.0}));
      },
      at({60.0, -60.0, -60.0}));

  // --- steep, fast, near an edge ---
  add(
      "a cliff: tanh(1e4 x)", [](const Tensor& v) { return tanh(v * 1e4); }, at({0.0, 1e-4, -3e-5, 1e-3, 1.0}));
  add(
      "a steeper cliff: tanh(1e8 x)", [](const Tensor& v) { return tanh(v * 1e8); }, at({0.0, 1e-8, -2e-9}));
  add(
      "a fast oscillation: sin(1e4 x)", [](const Tensor& v) { return sin(v * 1e4); }, x);
  add(
      "a faster one on a slow slope", [](const Tensor& v) { return v + 1e-3 * sin(v * 1e6); }, x);
  add(
      "log near 0", [](const Tensor& v) { return log(v); }, at({1e-12, 1e-3, 1e-100, 1.0}));
  add(
      "sqrt near 0", [](const Tensor& v) { return sqrt(v); }, at({1e-12, 1e-6, 1e-100, 1.0}));
  add(
      "1 / x near 0", [](const Tensor& v) { return 1.0 / v; }, at({1e-9, -1e-5, 1e-3}));
  add(
      "x^0.5 and x^-2.5 near 0", [](const Tensor& v) { return pow(v, 0.5) + pow(v, -2.5); }, at({1e-4, 1e-2, 1.0}));
  add(
      "norm near 0", [](const Tensor& v) { return norm(v); }, at({1e-10, -2e-10, 1e-10}));
  add(
      "log(1 - x) near 1", [](const Tensor& v) { return log(1.0 - v); }, at({1.0 - 1e-7, 1.0 - 1e-3, 0.5}));
  add(
      "poles on both sides", [](const Tensor& v) { return sin(v) / cos(v); }, at({1.5707, -1.57, 1.6}));

  // --- powers ---
  add(
      "x^30", [](const Tensor& v) { return pow(v, 30.0); }, at({1.5, -0.9, 10.0, 0.1}));
  add(
      "x^3 at 0", [](const Tensor& v) { return v * v * v; }, at({0.0, 1e-3, 1.0}));
  add(
      "x^9 at 0", [](const Tensor& v) { return pow(v, 9.0); }, at({0.0, 0.5}));
  add(
      "exp(exp(x))", [](const Tensor& v) { return exp(exp(v)); }, at({1.0, 3.0, 5.0}));
  add(
      "products with zeros", [](const Tensor& v) { return v[0] * v[1] * v[2] * v; }, at({0.0, 2.0, 0.0, 3.0}));
  add(
      "a product of forty",
      [](const Tensor& v) {
        Tensor y = v[0];
        for (std::int64_t i = 1; i < 40; ++i) y = y * v[i];
        return y;
      },
      shifted(scaled(sample({40}, 5), 0.1), 1.0));

  // --- matrices ---
  add("inverse of a nearly singular matrix", inverse_2x2, at({{1.0, 1.0}, {1.0, 1.0 + 1e-5}}));
  add(
      "Hilbert's matrix, solved", [](const Tensor& v) { return solve(v, v[0] + 1.0); }, hilbert(5));
  add(
      "matrix power 12",
      [](const Tensor& v) {
        Tensor y = v;
        for (int i = 0; i < 11; ++i) y = matmul(y, v);
        return sum(y);
      },
      sample({4, 4}, 6));

  // --- shapes ---
  add(
      "0-d", [](const Tensor& v) { return sin(v) * v; }, tensor(0.7, {.dtype = float64}));
  add(
      "empty", [](const Tensor& v) { return sum(v * 2.0); }, zeros({0, 3}, {.dtype = float64}));
  add_two(
      "empty beside full", [](const Tensor& a, const Tensor& b) { return sum(a) + sin(b); },
      zeros({0}, {.dtype = float64}), x);
  add_two(
      "broadcast both ways", [](const Tensor& a, const Tensor& b) { return a * exp(b) - b; }, sample({3, 1}, 7),
      sample({1, 4}, 8));
  add(
      "expanded input", [](const Tensor& v) { return v * v; }, expand(sample({1, 4}, 9), {3, 4}));
  add(
      "transposed slices", [](const Tensor& v) { return matmul(v.t().slice(0, 0, 4, 2), v * 2.0); }, x);
  add(
      "strided input",
      [](const Tensor& v) {
        return sin(v) * v.reshape({2, 3});
      },
      sample({4, 3}, 10).slice(0, 0, 4, 2));
  add(
      "the same tensor in many places",
      [](const Tensor& v) { return v * v + v / (v * v + 1.0) - matmul(v, v.t()).sum(); }, x);

  // --- long ---
  add(
      "a chain of 300",
      [](const Tensor& v) {
        Tensor h = v;
        for (int i = 0; i < 100; ++i) h = sin(h) * 1.2 + 0.01;
        return sum(h);
      },
      at({0.5, -0.2}));
  add(
      "a chaotic map, 20 times",
      [](const Tensor& v) {
        Tensor h = v;
        for (int i = 0; i < 20; ++i) h = 3.9 * h * (1.0 - h);
        return h;
      },
      at({0.3, 0.7}));
  add(
      "Newton's iteration",
      [](const Tensor& v) {
        Tensor y = v;
        for (int i = 0; i < 8; ++i) y = 0.5 * (y + v / y);
        return y;
      },
      at({2.0, 1e4, 1e-4}));
  add(
      "a loop that item() ends",
      [](const Tensor& v) {
        Tensor h = v;
        int steps = 0;
        while (sum(h).item() < 50 && steps++ < 30) h = h * 1.7;
        return h;
      },
      at({1.0, 0.5, 0.25}));

  // --- single precision, randomness, modules ---
  add(
      "float32", [](const Tensor& v) { return tanh(v) * exp(v); }, sample({3, 4}, 11, float32));
  add(
      "float32, cancelling", [](const Tensor& v) { return (v + 1e3) - 1e3 * cos(v); }, sample({3, 4}, 12, float32));
  add(
      "float32 softmax", [](const Tensor& v) { return log_softmax(v * 20.0, 1); }, sample({3, 4}, 13, float32));
  add(
      "dropout, replayed",
      [](const Tensor& v) {
        return v * bernoulli(full({3, 4}, 0.5, {.dtype = float64}));
      },
      x);
  add_check("dropout with its own generator", [=] {
    Generator generator(4);
    const auto f = [&](const Tensor& v) { return v * rand({3, 4}, {.dtype = float64, .generator = &generator}); };
    return gradcheck(f, {x}, {.generators = {&generator}});
  });
  add_check("a net with dropout", [] {
    manual_seed(6);
    return gradcheck(nn::Sequential(nn::Linear(4, 6), nn::ReLU(), Dropout(), nn::Linear(6, 2)),
                     sample({3, 4}, 14, float32));
  });
  add_check("a net with a running mean", [] {
    manual_seed(7);
    return gradcheck(nn::Sequential(nn::Linear(3, 4), RunningMean(), nn::GELU()), sample({5, 3}, 15, float32));
  });
  add_check("a deep relu net, fast", [] {
    manual_seed(8);
    nn::Sequential net(nn::Linear(20, 64), nn::ReLU(), nn::Linear(64, 64), nn::ReLU(), nn::Linear(64, 5));
    return gradcheck(net, sample({16, 20}, 16, float32), {.fast = true});
  });
  add_check("100,000 elements, fast", [] {
    return gradcheck([](const Tensor& v) { return mean(sin(v) * v); }, {sample({100000}, 17)}, {.fast = true});
  });

  // --- second order ---
  const auto add_second = [&](const std::string& name, const Unary& f, const Tensor& v) {
    all.push_back({name, [=] { return gradgradcheck(f, {v}); }});
  };
  add_second(
      "second order of softmax", [](const Tensor& v) { return softmax(v, 1); }, x);
  add_second(
      "second order of a relu net",
      [](const Tensor& v) {
        return square(relu(matmul(v, sample({4, 3}, 18))));
      },
      x);
  add_second(
      "second order of norm", [](const Tensor& v) { return norm(v * 1e-3); }, x);
  add_second(
      "second order of a linear function", [](const Tensor& v) { return v * 3.0; }, x);
  add_second(
      "second order of saturated tanh", [](const Tensor& v) { return tanh(v); }, at({15.0, -3.0, 0.0}));
  return all;
}

}  // namespace

const std::vector<Hard>& hard_functions() {
  static const std::vector<Hard> all = make();
  return all;
}

}  // namespace gradus::test
