#include "ops/op_table.hpp"

namespace gradus::test {
namespace {

using Call = std::function<Tensor(const Tensor&, const Args&)>;
using Maker = Input (*)(const Shape&);

// `make` keeps the inputs off the kinks; each set of arguments is a case.
Row activation(const std::string& name, const Call& op, Maker make, const std::vector<Args>& arguments = {{}}) {
  Row row{.name = name,
          .call = [op](const Tensors& x, const Args& a) { return op(x[0], a); },
          .cases = {},
          .bad_calls = {{[op] { op(tensor({1}), {}); }, name + ": a floating dtype is needed, got int64"}},
          .elementwise = true};
  for (const Args& args : arguments) {
    row.cases.push_back({{make({2, 3})}, args});
    row.cases.push_back({{make({37})}, args});
  }
  return row;
}

}  // namespace

std::vector<Row> activation_rows() {
  return {
      activation("leaky_relu",
                 [](const Tensor& x, const Args& a) { return leaky_relu(x, a.number("negative_slope", 0.01)); },
                 away_from_zero, {{}, {{"negative_slope", {0.25}}}, {{"negative_slope", {-1.5}}}}),
      activation("elu", [](const Tensor& x, const Args& a) { return elu(x, a.number("alpha", 1)); }, away_from_zero,
                 {{}, {{"alpha", {0.5}}}}),
      activation(
          "selu", [](const Tensor& x, const Args&) { return selu(x); }, away_from_zero),
      activation(
          "silu", [](const Tensor& x, const Args&) { return silu(x); }, normal),
      activation(
          "mish", [](const Tensor& x, const Args&) { return mish(x); }, normal),
      {.name = "hardtanh",
       .call = [](const Tensors& x,
                  const Args& a) { return hardtanh(x[0], a.number("min_val", -1), a.number("max_val", 1)); },
       .cases = {{{distinct({4, 5})}}, {{distinct({4, 5})}, {{"min_val", {-0.6}}, {"max_val", {0.3}}}}},
       .bad_calls = {{[] { hardtanh(zeros({2}), 1, 0.5); }, "hardtanh: min_val 1 must not exceed max_val 0.5"}},
       .elementwise = true},
      activation(
          "softsign", [](const Tensor& x, const Args&) { return softsign(x); }, away_from_zero),
      activation(
          "logsigmoid", [](const Tensor& x, const Args&) { return logsigmoid(x); }, normal),
      activation("celu", [](const Tensor& x, const Args& a) { return celu(x, a.number("alpha", 1)); }, away_from_zero,
                 {{}, {{"alpha", {0.5}}}}),
      activation(
          "relu6", [](const Tensor& x, const Args&) { return relu6(x); }, away_from_zero),
      activation(
          "hardsigmoid", [](const Tensor& x, const Args&) { return hardsigmoid(x); }, normal),
      activation(
          "hardswish", [](const Tensor& x, const Args&) { return hardswish(x); }, normal),
      activation("threshold",
                 [](const Tensor& x, const Args& a) {
                   return threshold(x, a.number("threshold", 0.1), a.number("value", -2));
                 },
                 distinct, {{}, {{"threshold", {-0.5}}, {"value", {1}}}}),
      {.name = "prelu",
       .call = [](const Tensors& x, const Args&) { return prelu(x[0], x[1]); },
       .cases = {{{away_from_zero({2, 3}), normal({3})}},
                 {{away_from_zero({2, 3, 4}), normal({3})}},
                 {{away_from_zero({2, 3}), normal({1})}},
                 {{away_from_zero({4}), normal({})}}},
       .bad_calls = {{[] {
                        prelu(zeros({2, 3}), zeros({2}));
                      },
                      "prelu: the weight must be (1,) or (3,), got (2,)"},
                     {[] { prelu(tensor({1}), zeros({1})); }, "prelu: a floating dtype is needed, got int64"}}},
      {.name = "glu",
       .call = [](const Tensors& x, const Args& a) { return glu(x[0], a.integer("dim", -1)); },
       .cases = {{{normal({2, 4})}}, {{normal({2, 4})}, {{"dim", {0}}}}, {{normal({3, 6, 2})}, {{"dim", {-2}}}}},
       .bad_calls = {{[] {
                        glu(zeros({2, 3}));
                      },
                      "glu: dim -1 must have an even size, got (2, 3)"}}},
  };
}

}  // namespace gradus::test
