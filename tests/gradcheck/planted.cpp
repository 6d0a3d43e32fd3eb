// Wrong derivatives of every kind that people write, in graphs small and deep.

#include <cmath>
#include <memory>

#include <gradus/autograd.hpp>
#include <gradus/custom_op.hpp>
#include <gradus/factory.hpp>
#include <gradus/nn.hpp>
#include <gradus/ops.hpp>

#include "autograd/record.hpp"
#include "gradcheck/trial.hpp"

namespace gradus::test {
namespace {

using Unary = std::function<Tensor(const Tensor&)>;

// The value without history, for ops whose derivative is all their own.
template <class F>
Tensor value_of(const F& f) {
  const NoGrad guard;
  return f();
}

// An op of one input: y = f(x), d(loss)/dx = wrong(g, x).
Unary op(const std::string& name, const Unary& f, const std::function<Tensor(const Tensor&, const Tensor&)>& wrong) {
  return [=](const Tensor& x) {
    return custom_op(name, value_of([&] { return f(x); }), {{x, [=](const Tensor& g) { return wrong(g, x); }}});
  };
}

using Binary = std::function<Tensor(const Tensor&, const Tensor&)>;
using BinaryVjp = std::function<Tensor(const Tensor& g, const Tensor& a, const Tensor& b)>;

Binary op(const std::string& name, const Binary& f, const BinaryVjp& by_a, const BinaryVjp& by_b) {
  return [=](const Tensor& a, const Tensor& b) {
    return custom_op(
        name, value_of([&] { return f(a, b); }),
        {{a, [=](const Tensor& g) { return by_a(g, a, b); }}, {b, [=](const Tensor& g) { return by_b(g, a, b); }}});
  };
}

// --- graphs to put an op into --------------------------------------------------------------------------------------

GradcheckReport alone(const Unary& f, const Tensor& x) { return gradcheck(f, {x}); }

GradcheckReport in_small_graph(const Unary& f, const Tensor& x) {
  return gradcheck([&](const Tensor& in) { return tanh(f(sin(in) + 0.5 * in)) * 0.7; }, {x});
}

// 200 ops, the wrong one in the last quarter.
GradcheckReport in_deep_graph(const Unary& f, const Tensor& x) {
  const auto deep = [&](const Tensor& in) {
    Tensor h = in;
    for (int i = 0; i < 50; ++i) {
      h = sin(h) * 1.1 + 0.05 * in;
      if (i == 38) h = f(h);
    }
    return sum(h);
  };
  return gradcheck(deep, {x});
}

// Used twice, and its result three times.
GradcheckReport in_shared_graph(const Unary& f, const Tensor& x) {
  const auto shared = [&](const Tensor& in) {
    const Tensor h = f(in);
    return f(h * 0.5) * h + exp(h * -0.3);
  };
  return gradcheck(shared, {x});
}

GradcheckReport in_module(const Unary& f, const Tensor& x) {
  manual_seed(5);
  const nn::Sequential model(nn::Linear(x.size(-1), 5), nn::Tanh(), f, nn::Linear(5, 2));
  return gradcheck(model, x.to(float32));
}

Tensor at_first(const Tensor& g, std::int64_t rows) {
  return cat({g.slice(0, 0, 1), zeros({rows - 1, g.size(1)}, {.dtype = g.dtype()})});
}

// A layer that is wrong by itself.
class BadScale : public nn::Module {
 public:
  nn::Parameter scale{full({4}, 1.5)};
  GRADUS_MODULE(scale)
  Tensor forward(const Tensor& x) override {
    // By the scale: the sum over the batch is missing, only the first row is seen.
    const auto by_x = [](const Tensor& g, const Tensor&, const Tensor& s) { return g * s; };
    const auto by_scale = [](const Tensor& g, const Tensor& in, const Tensor&) { return (g * in)[0]; };
    return op(
        "bad_scale", [](const Tensor& in, const Tensor& s) { return in * s; }, by_x, by_scale)(x, scale);
  }
};

class BadNorm : public nn::Module {
 public:
  nn::Buffer shift{full({3}, 0.25)};
  GRADUS_MODULE(shift)
  Tensor forward(const Tensor& x) override {
    // Forgets that the mean depends on x, too.
    const auto center = [](const Tensor& in) { return in - mean(in, {0}, {.keepdim = true}); };
    return op("bad_norm", center, [](const Tensor& g, const Tensor&) { return g * 1.0; })(x) + shift;
  }
};

Tensor bad_joint(const Tensor& a, const Tensor& b, bool swapped) {
  const auto value = value_of([&] { return a * exp(b); });
  return record_joint("bad_joint", value, std::vector<Tensor>{a, b},
                      [a = Saved(a), b = Saved(b), swapped](const Tensor& g, Gradients& gradients) {
                        const Tensor by_a = g * exp(b), by_b = g * a.get() * exp(b);
                        gradients[0] = swapped ? by_b : by_a;
                        gradients[1] = swapped ? by_a : by_b * 1.5;
                      });
}

GradcheckReport check_two(const Binary& f, const Tensor& a, const Tensor& b) { return gradcheck(f, {a, b}); }

const auto same = [](const Tensor& g, const Tensor&, const Tensor&) { return g; };

std::vector<Planted> make() {
  std::vector<Planted> all;
  const auto add = [&](const std::string& name, std::vector<std::string> culprits,
                       const std::function<GradcheckReport()>& check) {
    all.push_back({name, std::move(culprits), check});
  };
  const Tensor x = sample({3, 4}, 1);
  const Tensor square_matrix = sample({4, 4}, 2);
  const Tensor positive = value_of([&] { return square(sample({3, 4}, 3)) + 0.5; });

  // --- sign ---
  const Unary bad_cos = op(
      "bad_cos", [](const Tensor& v) { return cos(v); }, [](const Tensor& g, const Tensor& v) { return g * sin(v); });
  add("sign of cos", {"bad_cos"}, [=] { return alone(bad_cos, x); });
  add("sign of cos, deep", {"bad_cos"}, [=] { return in_deep_graph(bad_cos, x); });
  add("sign of cos, used twice", {"bad_cos", "bad_cos"}, [=] { return in_shared_graph(bad_cos, x); });
  const Binary bad_sub = op(
      "bad_sub", [](const Tensor& a, const Tensor& b) { return a - b; }, same, same);
  add("subtrahend's sign", {"bad_sub"}, [=] { return check_two(bad_sub, x, sample({4}, 4)); });
  const Unary bad_reciprocal = op(
      "bad_reciprocal", [](const Tensor& v) { return 1.0 / v; },
      [](const Tensor& g, const Tensor& v) { return g / square(v); });
  add("sign of 1 / x in a module", {"bad_reciprocal"}, [=] { return in_module(bad_reciprocal, sample({2, 3}, 5)); });

  // --- factors ---
  const Unary bad_cube = op(
      "bad_cube", [](const Tensor& v) { return v * v * v; },
      [](const Tensor& g, const Tensor& v) { return g * (2.0 * v * v); });
  add("cube, 2 for 3", {"bad_cube"}, [=] { return alone(bad_cube, x); });
  add("cube, 2 for 3, small graph", {"bad_cube"}, [=] { return in_small_graph(bad_cube, x); });
  const Unary bad_mean = op(
      "bad_mean", [](const Tensor& v) { return mean(v); },
      [](const Tensor& g, const Tensor& v) { return expand(g, v.shape()); });
  add("mean without 1 / n", {"bad_mean"}, [=] { return alone(bad_mean, x); });
  const Unary bad_row_mean = op(
      "bad_row_mean", [](const Tensor& v) { return mean(v, {1}, {.keepdim = true}); },
      [](const Tensor& g, const Tensor& v) { return expand(g, v.shape()) / static_cast<double>(v.numel()); });
  add("row mean over all elements", {"bad_row_mean"}, [=] { return in_small_graph(bad_row_mean, x); });
  const Unary bad_square = op(
      "bad_square", [](const Tensor& v) { return square(v); }, [](const Tensor& g, const Tensor& v) { return g * v; });
  add("square without 2", {"bad_square"}, [=] { return alone(bad_square, x); });
  add("square without 2, deep", {"bad_square"}, [=] { return in_deep_graph(bad_square, x); });
  const Unary bad_sqrt = op(
      "bad_sqrt", [](const Tensor& v) { return sqrt(v); },
      [](const Tensor& g, const Tensor& v) { return g / sqrt(v); });
  add("sqrt without 1 / 2", {"bad_sqrt"}, [=] { return alone(bad_sqrt, positive); });
  const Unary bad_log10 = op(
      "bad_log10", [](const Tensor& v) { return log(v) / std::log(10.0); },
      [](const Tensor& g, const Tensor& v) { return g / v; });
  add("log10 as log", {"bad_log10"}, [=] { return alone(bad_log10, positive); });
  const Unary bad_degrees = op(
      "bad_degrees", [](const Tensor& v) { return sin(v * (3.14159265358979 / 180)); },
      [](const Tensor& g, const Tensor& v) { return g * cos(v * (3.14159265358979 / 180)); });
  add("sine of degrees", {"bad_degrees"}, [=] { return alone(bad_degrees, value_of([&] { return x * 50.0; })); });
  const Unary one_percent = op(
      "one_percent", [](const Tensor& v) { return sin(v); },
      [](const Tensor& g, const Tensor& v) { return g * cos(v) * 1.01; });
  add("1 % too large", {"one_percent"}, [=] { return alone(one_percent, x); });
  add("1 % too large, module", {"one_percent"}, [=] { return in_module(one_percent, sample({2, 3}, 6)); });
  add("1 % too large, deep", {"one_percent"}, [=] { return in_deep_graph(one_percent, x); });
  const Unary ten_thousandth = op(
      "ten_thousandth", [](const Tensor& v) { return exp(v); },
      [](const Tensor& g, const Tensor& v) { return g * exp(v) * 1.0001; });
  add("0.01 % too large", {"ten_thousandth"}, [=] { return in_small_graph(ten_thousandth, x); });

  // --- transposed ---
  const Binary bad_matmul = op(
      "bad_matmul", [](const Tensor& a, const Tensor& b) { return matmul(a, b); },
      [](const Tensor& g, const Tensor&, const Tensor& b) { return matmul(g, b); },
      [](const Tensor& g, const Tensor& a, const Tensor&) { return matmul(a.t(), g); });
  add("matmul, b not transposed", {"bad_matmul"}, [=] { return check_two(bad_matmul, x, square_matrix); });
  const Binary bad_matmul_2 = op(
      "bad_matmul_2", [](const Tensor& a, const Tensor& b) { return matmul(a, b); },
      [](const Tensor& g, const Tensor&, const Tensor& b) { return matmul(g, b.t()); },
      [](const Tensor& g, const Tensor& a, const Tensor&) {
        return matmul(g.t(), a).reshape({4, 2});
      });
  add("matmul, weight's gradient transposed", {"bad_matmul_2"}, [=] {
    return check_two(bad_matmul_2, x, sample({4, 2}, 7));
  });
  const Unary bad_transpose = op(
      "bad_transpose", [](const Tensor& v) { return v.t().contiguous(); },
      [](const Tensor& g, const Tensor& v) { return g.reshape(v.shape()); });
  add("transpose undone by reshape", {"bad_transpose"}, [=] { return in_small_graph(bad_transpose, x); });
  const Unary bad_gram = op(
      "bad_gram", [](const Tensor& v) { return matmul(v, v.t()); },
      [](const Tensor& g, const Tensor& v) { return 2.0 * matmul(g, v); });
  add("gram matrix, g not made symmetric", {"bad_gram"}, [=] { return alone(bad_gram, x); });

  // --- broadcasting ---
  const Binary bad_bias = op(
      "bad_bias", [](const Tensor& a, const Tensor& b) { return a + b; }, same,
      [](const Tensor& g, const Tensor&, const Tensor&) { return g[0]; });
  add("bias sees the first row", {"bad_bias"}, [=] { return check_two(bad_bias, x, sample({4}, 8)); });
  const Binary bad_column = op(
      "bad_column", [](const Tensor& a, const Tensor& b) { return a * b; },
      [](const Tensor& g, const Tensor&, const Tensor& b) { return g * b; },
      [](const Tensor& g, const Tensor& a, const Tensor&) { return (g * a).slice(1, 3, 4); });
  add("column sees the last column", {"bad_column"}, [=] { return check_two(bad_column, x, sample({3, 1}, 9)); });
  const Binary bad_average = op(
      "bad_average", [](const Tensor& a, const Tensor& b) { return a + b; }, same,
      [](const Tensor& g, const Tensor&, const Tensor&) { return mean(g, {0}); });
  add("bias averages over the batch", {"bad_average"}, [=] { return check_two(bad_average, x, sample({4}, 10)); });
  const Unary bad_expand = op(
      "bad_expand",
      [](const Tensor& v) {
        return expand(v, {5, 3, 4});
      },
      [](const Tensor& g, const Tensor&) { return g[2]; });
  add("expand keeps one copy", {"bad_expand"}, [=] { return in_small_graph(bad_expand, x); });

  // --- indices ---
  const Unary bad_roll = op(
      "bad_roll",
      [](const Tensor& v) {
        return cat({v.slice(1, 1), v.slice(1, 0, 1)}, 1);
      },
      [](const Tensor& g, const Tensor&) { return g * 1.0; });
  add("roll not rolled back", {"bad_roll"}, [=] { return alone(bad_roll, x); });
  const Unary bad_cumsum = op(
      "bad_cumsum",
      [](const Tensor& v) {
        return matmul(v, tensor({{1, 1, 1, 1}, {0, 1, 1, 1}, {0, 0, 1, 1}, {0, 0, 0, 1}}, {.dtype = float64}));
      },
      [](const Tensor& g, const Tensor&) {
        return matmul(g, tensor({{0, 0, 0, 0}, {1, 0, 0, 0}, {1, 1, 0, 0}, {1, 1, 1, 0}}, {.dtype = float64}));
      });
  add("running sum without its own element", {"bad_cumsum"}, [=] { return alone(bad_cumsum, x); });
  const Unary bad_difference = op(
      "bad_difference", [](const Tensor& v) { return v.slice(0, 1) - v.slice(0, 0, 2); },
      [](const Tensor& g, const Tensor&) {
        return cat({-g, zeros({1, 4}, {.dtype = float64})});
      });
  add("difference forgets its first term", {"bad_difference"}, [=] { return in_small_graph(bad_difference, x); });
  const Unary bad_select = op(
      "bad_select", [](const Tensor& v) { return v.select(0, 1); },
      [](const Tensor& g, const Tensor& v) { return at_first(unsqueeze(g, 0), v.size(0)); });
  add("select puts it one row too high", {"bad_select"}, [=] { return alone(bad_select, x); });
  const Unary bad_last = op(
      "bad_last", [](const Tensor& v) { return square(v); },
      [](const Tensor& g, const Tensor& v) {
        return cat({(2.0 * g * v).slice(1, 0, 3), zeros({3, 1}, {.dtype = float64})}, 1);
      });
  add("loop stops one column early", {"bad_last"}, [=] { return alone(bad_last, x); });
  const Unary bad_gather = op(
      "bad_gather",
      [](const Tensor& v) {
        return index_select(v, 1, tensor({1, 1, 3}));
      },
      [](const Tensor& g, const Tensor&) {
        const Tensor none = zeros({3, 1}, {.dtype = float64});
        return cat({none, g.slice(1, 1, 2), none, g.slice(1, 2, 3)}, 1);  // the last write wins, no sum
      });
  add("repeated index is not added", {"bad_gather"}, [=] { return alone(bad_gather, x); });

  // --- branches ---
  const Unary bad_relu = op(
      "bad_relu", [](const Tensor& v) { return relu(v); },
      [](const Tensor& g, const Tensor& v) { return g * lt(v, 0.0).to(float64); });
  add("relu's other side", {"bad_relu"}, [=] { return alone(bad_relu, x); });
  const Unary bad_leaky = op(
      "bad_leaky", [](const Tensor& v) { return relu(v) - 0.1 * relu(-v); },
      [](const Tensor& g, const Tensor& v) { return where(gt(v, 0.0), g, 0.2 * g); });
  add("leaky slope", {"bad_leaky"}, [=] { return in_deep_graph(bad_leaky, x); });
  const Unary bad_max = op(
      "bad_max", [](const Tensor& v) { return max(v, 1).values; },
      [](const Tensor& g, const Tensor& v) {
        return unsqueeze(g, 1) * eq(v, min(v, 1, {.keepdim = true}).values).to(float64);
      });
  add("max sends it to the smallest", {"bad_max"}, [=] { return alone(bad_max, x); });
  const Unary bad_clamp = op(
      "bad_clamp", [](const Tensor& v) { return clamp(v, -0.5, 0.5); },
      [](const Tensor& g, const Tensor&) { return g * 1.0; });
  add("clamp lets everything through", {"bad_clamp"}, [=] { return in_small_graph(bad_clamp, x); });
  const Unary bad_abs = op(
      "bad_abs", [](const Tensor& v) { return abs(v); }, [](const Tensor& g, const Tensor&) { return g * 1.0; });
  add("abs, wrong for negative inputs", {"bad_abs"}, [=] { return alone(bad_abs, x); });
  const Binary bad_maximum = op(
      "bad_maximum", [](const Tensor& a, const Tensor& b) { return maximum(a, b); }, same,
      [](const Tensor& g, const Tensor& a, const Tensor& b) { return g * gt(b, a).to(float64); });
  add("maximum gives to both", {"bad_maximum"}, [=] { return check_two(bad_maximum, x, sample({3, 4}, 11)); });
  const Unary bad_elu = op(
      "bad_elu", [](const Tensor& v) { return where(gt(v, 0.0), v, exp(v) - 1.0); },
      [](const Tensor& g, const Tensor& v) { return where(gt(v, 0.0), g, g * (exp(v) - 1.0)); });
  add("elu, wrong for negative inputs, module", {"bad_elu"}, [=] { return in_module(bad_elu, sample({2, 3}, 12)); });

  // --- saved tensors ---
  const auto stale_input = [](const Tensor& v) {
    const Tensor doubled = value_of([&] { return v * 2.0; });
    return custom_op("stale_input", value_of([&] { return sin(doubled); }),
                     {{v, [v](const Tensor& g) { return 2.0 * g * cos(v); }}});  // cos(2 x) was meant
  };
  add("saves the input from before scaling", {"stale_input"}, [=] { return in_small_graph(stale_input, x); });
  const auto scratch = [](const Tensor& v, const Tensor& room) {
    const Tensor value = value_of([&] {
      Tensor(room).copy_(v);
      return sin(v);
    });
    return custom_op("scratch_sin", value, {{v, [room](const Tensor& g) { return g * cos(room); }}});
  };
  add("two calls share one scratch buffer", {"scratch_sin"}, [=] {
    const Tensor room = zeros({3, 4}, {.dtype = float64});
    return gradcheck([=](const Tensor& v) { return scratch(scratch(v, room) * 2.0, room); }, {x});
  });
  add("a saved tensor is written later", {"late_write"}, [=] {
    const auto late = [](const Tensor& v) {
      Tensor kept = v.detach().clone();
      const Tensor y = custom_op("late_write", value_of([&] { return square(v); }),
                                 {{v, [kept](const Tensor& g) { return 2.0 * g * kept; }}});
      const Tensor z = sin(y);
      const NoGrad guard;
      kept.mul_(0.5);
      return z;
    };
    return gradcheck(late, {x});
  });
  const auto adjusted = [](const Tensor& v) {
    // The derivative of exp reads the output, to which 1 was added.
    return custom_op("bad_exp", value_of([&] { return exp(v) + 1.0; }),
                     {{v, [](const Tensor& g, const Tensor& y) { return g * y; }}});
  };
  add("saves the output after adjusting it", {"bad_exp"}, [=] { return in_small_graph(adjusted, x); });

  // --- part of the elements ---
  const Unary one_element = op(
      "one_element", [](const Tensor& v) { return square(v); },
      [](const Tensor& g, const Tensor& v) {
        const Tensor right = 2.0 * g * v;
        Tensor wrong = right.detach().clone();
        wrong.data<double>()[wrong.data<double>().size() * 7 / 10] *= 1.01;
        return wrong;
      });
  add("one element of 10,000 by 1 %", {"one_element"}, [=] {
    return gradcheck([=](const Tensor& v) { return sum(one_element(v)); }, {sample({100, 100}, 13)}, {.fast = true});
  });
  add("one element of 1,200, each checked", {"one_element"}, [=] {
    return gradcheck([=](const Tensor& v) { return sum(one_element(v)); }, {sample({40, 30}, 14)});
  });
  add("one element of 12 by 1 %, small graph", {"one_element"}, [=] { return in_small_graph(one_element, x); });
  const Unary tiny_element = op(
      "tiny_element", [](const Tensor& v) { return square(v); },
      [](const Tensor& g, const Tensor& v) {
        const Tensor wrong = (2.0 * g * v).detach().clone();
        wrong.data<double>()[500] *= 1.001;
        return wrong;
      });
  add("one element of 1,000 by 0.1 %, among much larger ones", {"tiny_element"}, [=] {
    const Tensor at = value_of([] { return sample({1000}, 15) * 100.0 + 300.0; });
    at.data<double>()[500] = 1.25;
    return gradcheck([=](const Tensor& v) { return tiny_element(v); }, {at}, {.max_jacobian_rows = 0});
  });
  const Unary bad_negative = op(
      "bad_negative", [](const Tensor& v) { return v * v * v; },
      [](const Tensor& g, const Tensor& v) { return g * (3.0 * v * abs(v)); });
  add("x |x| for x^2", {"bad_negative"},
      [=] { return in_shared_graph(bad_negative, value_of([&] { return sample({3}, 16) * 0.5 - 2.0; })); });
  all.back().culprits = {"bad_negative", "bad_negative"};

  // --- dtype, layout, shape ---
  const Unary bad_single = op(
      "bad_single", [](const Tensor& v) { return sin(v); },
      [](const Tensor& g, const Tensor& v) { return v.dtype() == float32 ? g * cos(v) * 1.05 : g * cos(v); });
  add("only in float32", {"bad_single"}, [=] {
    return gradcheck([=](const Tensor& v) { return bad_single(v * 2.0); }, {sample({3, 4}, 17, float32)});
  });
  add("only in float32, module", {"bad_single"}, [=] { return in_module(bad_single, sample({2, 3}, 18)); });
  const Unary bad_view = op(
      "bad_view", [](const Tensor& v) { return sin(v); },
      [](const Tensor& g, const Tensor& v) { return v.is_contiguous() ? g * cos(v) : g * 0.5; });
  add("only if an input is a view", {"bad_view"}, [=] { return alone(bad_view, x); });
  add("only if a view is passed on", {"bad_view"},
      [=] { return gradcheck([=](const Tensor& v) { return bad_view(exp(v).t()); }, {x}); });
  const Unary wrong_dtype = op(
      "wrong_dtype", [](const Tensor& v) { return v * 3.0; },
      [](const Tensor& g, const Tensor&) { return (g * 3.0).to(float32); });
  add("gradient of another dtype", {"wrong_dtype"}, [=] { return in_small_graph(wrong_dtype, x); });
  const Unary wrong_shape = op(
      "wrong_shape", [](const Tensor& v) { return sum(v, {1}); },
      [](const Tensor& g, const Tensor&) { return g * 1.0; });
  add("gradient of another shape", {"wrong_shape"}, [=] { return in_small_graph(wrong_shape, x); });
  const Binary outer_shape = op(
      "outer_shape", [](const Tensor& a, const Tensor& b) { return a * b; },
      [](const Tensor& g, const Tensor&, const Tensor& b) { return unsqueeze(g, 1) * b; },
      [](const Tensor& g, const Tensor& a, const Tensor&) { return g * a; });
  add("gradient of too many dims, summed away", {"outer_shape"},
      [=] { return check_two(outer_shape, sample({4}, 19), sample({4}, 20)); });

  // --- cotangent ---
  const Unary ignores = op(
      "ignores", [](const Tensor& v) { return sin(v); }, [](const Tensor&, const Tensor& v) { return cos(v); });
  add("ignores the gradient of its output", {"ignores"}, [=] { return alone(ignores, x); });
  add("ignores the gradient of its output, deep", {"ignores"}, [=] { return in_deep_graph(ignores, x); });
  const Unary sums = op(
      "sums", [](const Tensor& v) { return sin(v); }, [](const Tensor& g, const Tensor& v) { return sum(g) * cos(v); });
  add("sums the gradient of its output", {"sums"}, [=] { return in_small_graph(sums, x); });
  const Unary squares = op(
      "squares", [](const Tensor& v) { return 2.0 * v; },
      [](const Tensor& g, const Tensor&) { return 2.0 * g * abs(g); });
  add("not linear in the gradient of its output", {"squares"}, [=] { return in_small_graph(squares, x); });

  // --- missing ---
  const Unary gives_zero = op(
      "gives_zero", [](const Tensor& v) { return sin(v); },
      [](const Tensor& g, const Tensor&) { return zeros_like(g); });
  add("zero", {"gives_zero"}, [=] { return in_deep_graph(gives_zero, x); });
  const Unary gives_nothing = op(
      "gives_nothing", [](const Tensor& v) { return sin(v); }, [](const Tensor&, const Tensor&) { return Tensor(); });
  add("undefined", {"gives_nothing"}, [=] { return in_small_graph(gives_nothing, x); });
  const auto half_product = [](const Tensor& v) {
    return custom_op("half_product", value_of([&] { return v * sin(v); }),
                     {{v, [v](const Tensor& g) { return g * sin(v); }}});
  };
  add("forgets the second path to its input", {"half_product"}, [=] { return in_small_graph(half_product, x); });
  add("detached factor", {"mul"}, [=] { return gradcheck([](const Tensor& v) { return v * v.detach(); }, {x}); });
  add("factor through item()", {"mul"}, [=] {
    return gradcheck(
        [](const Tensor& v) {
          const Tensor h = sin(v);
          return h * sum(h).item();
        },
        {x});
  });
  const Unary not_finite = op(
      "not_finite", [](const Tensor& v) { return square(v); },
      [](const Tensor& g, const Tensor& v) { return 2.0 * g * square(v) / v; });
  add("NaN at 0", {"not_finite"}, [=] { return alone(not_finite, tensor({0.0, 1.0, 2.0}, {.dtype = float64})); });

  // --- behaviour ---
  const auto unsteady = [](const Tensor& v) {
    return custom_op("unsteady", value_of([&] { return sin(v); }),
                     {{v, [v, calls = std::make_shared<int>(0)](const Tensor& g) {
                         return g * cos(v) * (1.0 + 0.001 * ++*calls);
                       }}});
  };
  add("another gradient each time", {"unsteady"}, [=] { return in_small_graph(unsteady, x); });
  const auto damages = [](const Tensor& v) {
    const Tensor value = value_of([&] { return v * 2.0; });
    v.data<double>()[1] += 1;
    return custom_op("damages", value, {{v, [](const Tensor& g) { return 2.0 * g; }}});
  };
  add("changes its input", {"damages"}, [=] { return alone(damages, x); });
  add("changes an intermediate result", {"damages"}, [=] { return in_small_graph(damages, x); });

  // --- several at once ---
  add("two in a row", {"bad_cos", "bad_square"},
      [=] { return gradcheck([=](const Tensor& v) { return bad_square(tanh(bad_cos(v))); }, {x}); });
  add("two side by side", {"bad_cube", "one_percent"}, [=] {
    const auto both = [=](const Tensor& v) {
      const Tensor cube = bad_cube(v);
      return cube * one_percent(v);
    };
    return gradcheck(both, {x});
  });
  add("two that cancel on one path", {"twice_as_much", "half_as_much", "twice_as_much"}, [=] {
    const Unary twice = op(
        "twice_as_much", [](const Tensor& v) { return sin(v); },
        [](const Tensor& g, const Tensor& v) { return 2.0 * g * cos(v); });
    const Unary half = op(
        "half_as_much", [](const Tensor& v) { return exp(v); },
        [](const Tensor& g, const Tensor& v) { return 0.5 * g * exp(v); });
    const auto both = [=](const Tensor& v) {
      const Tensor cancelled = half(twice(v));
      return cancelled + twice(v * 0.5);
    };
    return gradcheck(both, {x});
  });
  add("three, deep", {"bad_cos", "ten_thousandth", "bad_square"}, [=] {
    const auto deep = [=](const Tensor& v) {
      Tensor h = bad_cos(v);
      for (int i = 0; i < 30; ++i) h = sin(h) + 0.01;
      h = ten_thousandth(h * 0.1);
      for (int i = 0; i < 30; ++i) h = tanh(h) + 0.02;
      return bad_square(h);
    };
    return gradcheck(deep, {x});
  });
  add("one behind another that gives zero", {"bad_cos", "gives_zero"},
      [=] { return gradcheck([=](const Tensor& v) { return gives_zero(bad_cos(v)); }, {x}); });

  // --- modules, parameters ---
  add("a layer's parameter", {"bad_scale"}, [] {
    manual_seed(3);
    return gradcheck(nn::Sequential(nn::Linear(3, 4), BadScale(), nn::ReLU()), sample({5, 3}, 21, float32));
  });
  add("a layer with a buffer", {"bad_norm"}, [] { return gradcheck(BadNorm(), sample({5, 3}, 22, float32)); });
  add("a weight that is used twice", {"bad_weight", "bad_weight"}, [=] {
    const Binary layer = op(
        "bad_weight", [](const Tensor& a, const Tensor& w) { return matmul(a, w.t()); },
        [](const Tensor& g, const Tensor&, const Tensor& w) { return matmul(g, w); },
        [](const Tensor& g, const Tensor& a, const Tensor&) { return matmul(a.t(), g); });
    Tensor w = square_matrix.detach().clone();
    w.set_requires_grad();
    return gradcheck([=] { return layer(tanh(layer(x, w)), w); }, {w});
  });
  add("joint derivative, swapped", {"bad_joint"}, [=] {
    return gradcheck([](const Tensor& a, const Tensor& b) { return tanh(bad_joint(a, b, true)); },
                     {x, sample({3, 4}, 23)});
  });
  add("joint derivative, one factor", {"bad_joint"}, [=] {
    return gradcheck([](const Tensor& a, const Tensor& b) { return bad_joint(sin(a), b, false); },
                     {x, sample({3, 4}, 24)});
  });
  add("followed by in-place ops", {"bad_square"}, [=] {
    return gradcheck(
        [=](const Tensor& v) {
          Tensor y = bad_square(v);
          y.mul_(2.0).add_(v).tanh_();
          return y;
        },
        {x});
  });
  add("second of two outputs", {"bad_cube"}, [=] {
    return gradcheck([=](const Tensor& v) { return std::vector<Tensor>{sin(v), bad_cube(v)}; }, {x});
  });
  add("fast mode, among 100,000", {"bad_cos"}, [=] {
    return gradcheck([=](const Tensor& v) { return mean(bad_cos(v)); }, {sample({100000}, 25)}, {.fast = true});
  });

  // --- second order ---
  const Unary half_differentiable = op(
      "half_differentiable", [](const Tensor& v) { return sin(v); },
      [](const Tensor& g, const Tensor& v) { return g * cos(v).detach(); });
  add("second order missing", {"half_differentiable"},
      [=] { return gradgradcheck([=](const Tensor& v) { return exp(half_differentiable(v)); }, {x}); });
  const Unary second_sign = op(
      "second_sign", [](const Tensor& v) { return sin(v); },
      [=](const Tensor& g, const Tensor& v) { return g * bad_cos(v); });
  add("second order's sign", {"second_sign"}, [=] { return gradgradcheck(second_sign, {x}); });
  const Unary second_factor = op(
      "second_factor", [](const Tensor& v) { return v * v * v; },
      [=](const Tensor& g, const Tensor& v) { return 3.0 * g * bad_square(v); });
  add("second order's factor, small graph", {"second_factor"},
      [=] { return gradgradcheck([=](const Tensor& v) { return tanh(second_factor(sin(v))); }, {x}); });
  const Unary frozen_cotangent = op(
      "frozen_cotangent", [](const Tensor& v) { return square(v); },
      [](const Tensor& g, const Tensor& v) { return 2.0 * g.detach() * v; });
  add("second order by the gradient of the output", {"frozen_cotangent"},
      [=] { return gradgradcheck(frozen_cotangent, {x}); });
  return all;
}

}  // namespace

const std::vector<Planted>& planted_errors() {
  static const std::vector<Planted> all = make();
  return all;
}

}  // namespace gradus::test
