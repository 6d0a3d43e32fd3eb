// The generic checks: each runs over every row and every case of the op table. A loop with CAPTURE, not SUBCASEs: those
// hide later siblings when one throws.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <sstream>

#include <gradus/autograd.hpp>
#include <gradus/threads.hpp>

#include "ops/checks.hpp"
#include "ops/op_table.hpp"

namespace gradus::test {
namespace {

std::string describe(const Case& c) {
  std::string text;
  for (const Input& input : c.inputs) text += to_string(input.shape) + " ";
  return text + c.args.to_string();
}

Case with_shapes(Case c, const std::vector<Shape>& shapes) {
  for (std::size_t i = 0; i < c.inputs.size(); ++i) c.inputs[i].shape = shapes[i];
  return c;
}

// Each kind of broadcasting, for ops of two or three inputs.
std::vector<Case> broadcast_cases(const Row& row) {
  static const std::vector<std::vector<Shape>> shapes = {{{2, 3}, {3}, {2, 1}},
                                                         {{3}, {2, 3}, {}},
                                                         {{2, 1}, {1, 3}, {2, 3}},
                                                         {{}, {2, 3}, {3}},
                                                         {{2, 3}, {}, {1}},
                                                         {{4, 1, 3}, {2, 1}, {1}},
                                                         {{0, 3}, {1, 3}, {3}},
                                                         {{2, 0}, {1}, {2, 1}},
                                                         {{1}, {1, 1}, {}},
                                                         {{3, 1}, {3, 4}, {4}},
                                                         {{2, 2, 1, 2}, {2, 2}, {2, 1, 1, 1}}};
  std::vector<Case> cases;
  if (row.broadcasts) {
    for (const auto& s : shapes) cases.push_back(with_shapes(row.cases[0], s));
  }
  return cases;
}

// Empty, 0-d and one-element inputs.
std::vector<Case> shape_cases(const Row& row) {
  std::vector<Case> cases;
  if (row.elementwise) {
    for (const Shape& s : {Shape{}, Shape{0}, Shape{2, 0, 3}, Shape{1}, Shape{1, 1, 1}, Shape{2, 1, 2, 1, 2}}) {
      cases.push_back(with_shapes(row.cases[0], {s, s, s}));
    }
  }
  return cases;
}

std::vector<Case> all_cases(const Row& row) {
  std::vector<Case> cases = row.cases;
  for (Case& c : broadcast_cases(row)) cases.push_back(std::move(c));
  for (Case& c : shape_cases(row)) cases.push_back(std::move(c));
  return cases;
}

// Runs a check and turns an exception into a failure of this case only; the tape must be empty afterwards.
template <class Check>
void guarded(const Row& row, const Case& c, const Check& check) {
  CAPTURE(row.name);
  const std::string inputs = describe(c);
  CAPTURE(inputs);
  const std::int64_t nodes = live_nodes();
  try {
    check(row, c);
  } catch (const std::exception& error) {
    FAIL_CHECK("threw: " << std::string(error.what()));
  }
  CHECK(live_nodes() == nodes);
}

template <class Check>
void for_each_case(const Check& check) {
  for (const Row& row : op_table()) {
    for (const Case& c : all_cases(row)) guarded(row, c, check);
  }
}

template <class Check>
void for_each_differentiable_case(const Check& check) {
  for (const Row& row : op_table()) {
    if (!row.differentiable) continue;
    for (const Case& c : all_cases(row)) guarded(row, c, check);
  }
}

std::vector<std::size_t> differentiable_inputs(const Case& c) {
  std::vector<std::size_t> which;
  for (std::size_t i = 0; i < c.inputs.size(); ++i) {
    if (c.inputs[i].differentiable) which.push_back(i);
  }
  return which;
}

std::vector<bool> asked(const Case& c) {
  std::vector<bool> flags;
  for (const Input& input : c.inputs) flags.push_back(input.differentiable);
  return flags;
}

// The gradients of sum(op(inputs) * cotangent) by all differentiable inputs, as backward() leaves them.
Tensors gradients(const Row& row, const Case& c, const Tensors& inputs) {
  const Tensors leaves = make_leaves(inputs, asked(c));
  const Tensor out = row.call(leaves, c.args);
  if (out.requires_grad()) out.backward({.gradient = cotangent_like(out)});
  Tensors result;
  for (std::size_t i : differentiable_inputs(c)) result.push_back(gradient_or_zeros(leaves[i].grad(), leaves[i]));
  return result;
}

std::string read_text(const std::string& path) {
  std::ifstream file(std::string(GRADUS_SOURCE_DIR "/") + path);
  REQUIRE(file.good());
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// How many functions of each name a text declares, by a pattern whose first group is the name.
std::map<std::string, int> declarations(const std::string& text, const std::string& pattern) {
  const std::regex declaration(pattern);
  std::map<std::string, int> count;
  for (std::sregex_iterator it(text.begin(), text.end(), declaration), end; it != end; ++it) ++count[(*it)[1].str()];
  return count;
}

std::string op_headers() {
  std::string text;
  for (const auto& entry : std::filesystem::directory_iterator(GRADUS_SOURCE_DIR "/include/gradus/ops")) {
    text += read_text("include/gradus/ops/" + entry.path().filename().string());
  }
  return text + read_text("include/gradus/linalg.hpp");
}

TEST_CASE("every op of the headers has a row in the table") {
  const auto declared =
      declarations(op_headers(), R"(\n(?:Tensor|Extreme|Sorted|bool|std::vector<Tensor>|Slogdet|QR|Eigh|Svd|Lstsq|)"
                                 R"(RNNResult|LSTMResult|LSTMState) )"
                                 R"((operator[^ (]+|\w+)\()");
  REQUIRE(declared.size() > 50);
  std::map<std::string, int> rows;
  for (const Row& row : op_table()) {
    if (row.name.find(":indices") == std::string::npos && !row.is_further_output()) ++rows[row.op()];
  }
  for (const auto& [op, overloads] : declared) {
    CAPTURE(op);
    CHECK_MESSAGE(rows[op] == overloads,
                  op << " is declared " << overloads << " times and has " << rows[op] << " rows");
  }
  for (const auto& [op, count] : rows) CHECK_MESSAGE(declared.contains(op), "no such op in include/gradus/ops: " << op);
}

TEST_CASE("every in-place op of tensor.hpp has a row in the table") {
  const auto declared = declarations(read_text("include/gradus/tensor.hpp"), R"(\n  Tensor& (\w+)_\()");
  REQUIRE(declared.size() > 10);
  std::map<std::string, int> rows;
  for (const Row& row : op_table()) rows[row.op()] += row.in_place ? 1 : 0;
  for (const auto& [op, overloads] : declared) {
    if (op == "copy" || op == "fill" || op == "zero") continue;  // in tensor_test.cpp
    CHECK_MESSAGE(rows[op] > 0, op << "_ has no row");
  }
}

TEST_CASE("gradients agree with central differences for each subset of inputs that asks for one") {
  for_each_differentiable_case([](const Row& row, const Case& c) {
    const Tensors inputs = make_inputs(c.inputs, float64);
    const Tensor cotangent = cotangent_like(row.call(inputs, c.args));
    const auto which = differentiable_inputs(c);
    std::vector<Tensor> expected;
    for (std::size_t i : which) {
      expected.push_back(central_differences(
          [&](const Tensors& moved) { return projection(row.call(moved, c.args), cotangent); }, inputs, i));
    }
    for (std::size_t subset = 1; subset < (std::size_t{1} << which.size()); ++subset) {
      CAPTURE(subset);
      std::vector<bool> needs(inputs.size());
      for (std::size_t k = 0; k < which.size(); ++k) needs[which[k]] = (subset >> k & 1) != 0;
      const Tensors leaves = make_leaves(inputs, needs);
      const Tensor out = row.call(leaves, c.args);
      CHECK(out.requires_grad());
      out.backward({.gradient = cotangent});
      for (std::size_t k = 0; k < which.size(); ++k) {
        const Tensor& leaf = leaves[which[k]];
        CAPTURE(which[k]);
        CHECK(leaf.grad().defined() == needs[which[k]]);
        if (!leaf.grad().defined()) continue;
        CHECK(difference(leaf.grad(), expected[k], {.to_scale = 1e-7, .absolute = 1e-10}) == "");
        CHECK_FALSE(leaf.grad().requires_grad());
      }
    }
  });
}

// The random projection of the first gradients, as a tensor with history.
Tensor projected_gradients(const Row& row, const Case& c, const Tensors& leaves, bool create_graph) {
  const Tensor out = row.call(leaves, c.args);
  Tensors wanted;
  for (std::size_t i : differentiable_inputs(c)) wanted.push_back(leaves[i]);
  const Tensors first = grad(out, wanted, {.grad_outputs = cotangent_like(out), .create_graph = create_graph});
  Tensor total = zeros({}, {.dtype = float64});
  unsigned seed = 2;
  for (const Tensor& g : first) total = total + sum(g * cotangent_like(g, seed++));
  return total;
}

TEST_CASE("second derivatives agree with central differences of the first") {
  for_each_differentiable_case([](const Row& row, const Case& c) {
    if (!row.no_second_order.empty()) return;
    const Tensors inputs = make_inputs(c.inputs, float64);
    const Tensors leaves = make_leaves(inputs, asked(c));
    const Tensor total = projected_gradients(row, c, leaves, true);
    const auto which = differentiable_inputs(c);
    Tensors wanted;
    for (std::size_t i : which) wanted.push_back(leaves[i]);
    Tensors second(which.size());
    if (total.requires_grad()) second = grad(total, wanted, {.allow_unused = true});
    for (std::size_t k = 0; k < which.size(); ++k) {
      CAPTURE(which[k]);
      const Tensor expected = central_differences(
          [&](const Tensors& moved) { return projected_gradients(row, c, make_leaves(moved, asked(c)), false).item(); },
          inputs, which[k]);
      const Tensor actual = gradient_or_zeros(second[k], inputs[which[k]]);
      CHECK(difference(actual, expected, {.to_scale = 1e-7, .absolute = 1e-9}) == "");
    }
  });
}

TEST_CASE("float32 agrees with float64 in values and gradients") {
  for_each_case([](const Row& row, const Case& c) {
    const Tensors single = make_inputs(c.inputs, float32), twice = make_inputs(c.inputs, float64);
    const Tensor a = row.call(single, c.args), b = row.call(twice, c.args);
    if (!is_floating_point(b.dtype())) {
      CHECK(difference(a, b) == "");
      return;
    }
    CHECK(a.dtype() == float32);
    CHECK(difference(a.to(float64), b, {.relative = 1e-6, .to_scale = 1e-6}) == "");
    if (!row.differentiable) return;
    const Tensors ga = gradients(row, c, single), gb = gradients(row, c, twice);
    for (std::size_t i = 0; i < ga.size(); ++i) {
      CHECK(ga[i].dtype() == float32);
      CHECK(difference(ga[i].to(float64), gb[i], {.relative = 1e-5, .to_scale = 1e-5}) == "");
    }
  });
}

TEST_CASE("broadcast inputs give what expanded copies give") {
  for (const Row& row : op_table()) {
    for (const Case& c : broadcast_cases(row)) {
      guarded(row, c, [](const Row& r, const Case& bc) {
        const Tensors inputs = make_inputs(bc.inputs, float64);
        const Tensor actual = r.call(inputs, bc.args);
        Shape shape;
        for (const Tensor& input : inputs) shape = broadcast_shapes("test", shape, input.shape());
        CHECK(actual.shape() == shape);
        Tensors copies;
        for (const Tensor& input : inputs) copies.push_back(input.expand(shape).clone());
        CHECK(difference(actual, r.call(copies, bc.args), {.relative = 1e-15}) == "");
      });
    }
  }
}

TEST_CASE("elementwise ops keep empty and 0-d shapes") {
  for (const Row& row : op_table()) {
    for (const Case& c : shape_cases(row)) {
      guarded(row, c, [](const Row& r, const Case& sc) {
        for (Dtype dtype : {float32, float64}) {
          CHECK(r.call(make_inputs(sc.inputs, dtype), sc.args).shape() == sc.inputs[0].shape);
        }
      });
    }
  }
}

// The same values with other strides; an expanded one repeats its first slice.
Tensor transposed(const Tensor& x) {
  return x.dim() < 2 ? x : x.transpose(0, -1).clone().contiguous().transpose(0, -1);
}
Tensor strided(const Tensor& x) { return stack({x.neg(), x}, -1).select(-1, 1); }
Tensor strided_mask(const Tensor& x) { return stack({x, x}, -1).select(-1, 1); }
Tensor expanded(const Tensor& x) { return x.dim() < 1 || x.size(0) < 2 ? x : x.narrow(0, 0, 1).expand(x.shape()); }
Tensor expanded_last(const Tensor& x) {
  return x.dim() < 1 || x.size(-1) < 2 ? x : x.narrow(-1, 0, 1).expand(x.shape());
}

TEST_CASE("transposed, strided and expanded inputs give the values and gradients of contiguous ones") {
  using Layout = Tensor (*)(const Tensor&);
  const std::vector<std::pair<const char*, Layout>> layouts = {
      {"transposed", transposed}, {"strided", strided}, {"expanded", expanded}, {"expanded last", expanded_last}};
  for_each_case([&](const Row& row, const Case& c) {
    const Tensors inputs = make_inputs(c.inputs, float64);
    for (const auto& [name, layout] : layouts) {
      CAPTURE(name);
      // One input at a time, then all of them.
      for (std::size_t only = 0; only <= inputs.size(); ++only) {
        CAPTURE(only);
        Tensors changed = inputs, dense = inputs;
        for (std::size_t i = 0; i < inputs.size(); ++i) {
          if (only < inputs.size() && i != only) continue;
          const bool copy_only = !is_floating_point(inputs[i].dtype()) && layout == &strided;
          changed[i] = copy_only ? strided_mask(inputs[i]) : layout(inputs[i]);
          dense[i] = changed[i].clone().contiguous();
          CHECK(dense[i].is_contiguous());
        }
        const Tensor actual = row.call(changed, c.args), expected = row.call(dense, c.args);
        CHECK(difference(actual, expected, {.relative = 1e-13, .to_scale = 1e-14}) == "");
        if (!row.differentiable) continue;
        const Tensors a = gradients(row, c, changed), e = gradients(row, c, dense);
        for (std::size_t i = 0; i < a.size(); ++i) {
          CHECK(difference(a[i], e[i], {.relative = 1e-13, .to_scale = 1e-14}) == "");
        }
      }
    }
  });
}

TEST_CASE("the same tensor as two inputs gets the sum of both gradients") {
  for_each_differentiable_case([](const Row& row, const Case& c) {
    const auto which = differentiable_inputs(c);
    for (std::size_t k = 1; k < which.size(); ++k) {
      const std::size_t i = which[0], j = which[k];
      if (c.inputs[i].shape != c.inputs[j].shape) continue;
      Tensors apart = make_inputs(c.inputs, float64);
      apart[j] = apart[i].clone();
      const Tensors separate = gradients(row, c, apart);
      Tensors leaves = make_leaves(apart, asked(c));
      leaves[j] = leaves[i];
      const Tensor out = row.call(leaves, c.args);
      CHECK(difference(out, row.call(apart, c.args), {.relative = 1e-15}) == "");
      out.backward({.gradient = cotangent_like(out)});
      CHECK(difference(leaves[i].grad(), separate[0] + separate[k], {.relative = 1e-12, .to_scale = 1e-13}) == "");
    }
  });
}

TEST_CASE("no op changes its inputs, neither forward nor backward") {
  for_each_case([](const Row& row, const Case& c) {
    const Tensors inputs = make_inputs(c.inputs, float64), before = make_inputs(c.inputs, float64);
    std::vector<std::uint32_t> versions;
    for (const Tensor& input : inputs) versions.push_back(input.version());
    const Tensor out = row.call(inputs, c.args);
    if (row.differentiable) gradients(row, c, inputs);
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      CHECK(difference(inputs[i], before[i]) == "");
      CHECK(inputs[i].version() == versions[i]);
    }
  });
}

TEST_CASE("nothing is recorded under NoGrad, for inputs without gradient, or by ops without derivative") {
  for_each_case([](const Row& row, const Case& c) {
    const Tensors inputs = make_inputs(c.inputs, float64);
    const Tensors leaves = make_leaves(inputs, asked(c));
    const std::int64_t nodes = live_nodes();
    {
      NoGrad guard;
      const Tensor out = row.call(leaves, c.args);
      if (out.is(leaves[0])) return;  // a view that changes nothing may be its input
      CHECK_FALSE(out.requires_grad());
      CHECK(live_nodes() == nodes);
    }
    const Tensor plain = row.call(inputs, c.args);
    CHECK_FALSE(plain.requires_grad());
    CHECK(live_nodes() == nodes);
    const Tensor out = row.call(leaves, c.args);
    CHECK(out.requires_grad() == row.differentiable);
    CHECK((live_nodes() > nodes) == row.differentiable);
    CHECK(difference(out, plain) == "");
  });
}

TEST_CASE("an undefined input is refused") {
  for_each_case([](const Row& row, const Case& c) {
    for (std::size_t i = 0; i < c.inputs.size(); ++i) {
      if (c.inputs[i].optional) continue;
      CAPTURE(i);
      Tensors inputs = make_inputs(c.inputs, float64);
      inputs[i] = Tensor();
      CHECK_THROWS_AS(row.call(inputs, c.args), Error);
    }
  });
}

TEST_CASE("float32 and float64 are never mixed silently") {
  for_each_case([](const Row& row, const Case& c) {
    const Tensors single = make_inputs(c.inputs, float32), twice = make_inputs(c.inputs, float64);
    for (std::size_t i = 1; i < c.inputs.size(); ++i) {
      if (single[0].dtype() == twice[0].dtype() || single[i].dtype() == twice[i].dtype()) continue;
      Tensors mixed = single;
      mixed[i] = twice[i];
      try {
        row.call(mixed, c.args);
        FAIL_CHECK("no error");
      } catch (const Error& error) {
        const std::string message = error.what();
        CAPTURE(message);
        CHECK(message.find("float32") != std::string::npos);
        CHECK(message.find("float64") != std::string::npos);
      }
    }
  });
}

TEST_CASE("member functions are the free functions") {
  for_each_case([](const Row& row, const Case& c) {
    if (!row.method) return;
    const Tensors inputs = make_inputs(c.inputs, float64);
    CHECK(difference(row.method(inputs, c.args), row.call(inputs, c.args)) == "");
  });
}

TEST_CASE("in-place forms write the op's value into their tensor, with its gradient") {
  for_each_case([](const Row& row, const Case& c) {
    if (!row.in_place) return;
    const Tensors inputs = make_inputs(c.inputs, float64);
    const Tensor expected = row.call(inputs, c.args);
    Tensor y = inputs[0].clone();
    if (expected.shape() != y.shape()) {
      CHECK_THROWS_AS(row.in_place(y, inputs, c.args), Error);
      CHECK(difference(y, inputs[0]) == "");
      return;
    }
    for (const Tensor& start : {inputs[0].clone(), transposed(inputs[0]), strided(inputs[0])}) {
      y = start;
      const double* const memory = y.is_contiguous() ? y.data<double>().data() : nullptr;
      const std::uint32_t version = y.version();
      CHECK(&row.in_place(y, inputs, c.args) == &y);
      CHECK(difference(y, expected, {.relative = 1e-15}) == "");
      CHECK(y.version() > version);
      if (memory) CHECK(y.data<double>().data() == memory);
    }

    const Tensors leaves = make_leaves(inputs, asked(c));
    Tensor recorded = leaves[0].clone();
    row.in_place(recorded, leaves, c.args);
    recorded.backward({.gradient = cotangent_like(recorded)});
    const Tensors wanted = gradients(row, c, inputs);
    const auto which = differentiable_inputs(c);
    for (std::size_t k = 0; k < which.size(); ++k) {
      CHECK(difference(gradient_or_zeros(leaves[which[k]].grad(), inputs[which[k]]), wanted[k],
                       {.relative = 1e-13, .to_scale = 1e-14}) == "");
    }

    Tensor leaf = inputs[0].clone().set_requires_grad();
    CHECK_THROWS_AS(row.in_place(leaf, inputs, c.args), Error);
    CHECK(difference(leaf.detach(), inputs[0]) == "");
  });
}

// Large enough to be split over threads: elementwise ops, and the first matrix case of the others that take any matrix.
std::vector<std::pair<const Row*, Case>> large_cases() {
  static const std::vector<std::string> others = {
      "sum",         "mean",   "norm",       "logsumexp", "softmax", "log_softmax", "max",     "max:dim",
      "min:indices", "argmax", "mse_loss",   "l1_loss",   "prod",    "var",         "std",     "amax",
      "any",         "median", "median:dim", "cumsum",    "cumprod", "sort",        "argsort", "topk"};
  std::vector<std::pair<const Row*, Case>> large;
  for (const Row& row : op_table()) {
    const bool other = std::find(others.begin(), others.end(), row.name) != others.end();
    for (const Case& c : row.cases) {
      if (!row.elementwise && (!other || c.inputs[0].shape.size() != 2 || c.inputs[0].shape.numel() == 0)) continue;
      large.emplace_back(&row, with_shapes(c, {{301, 403}, {301, 403}, {301, 403}}));
      if (row.elementwise) break;
    }
  }
  return large;
}

TEST_CASE("the number of threads changes no result") {
  const int before = get_num_threads();
  for (const auto& [row, large] : large_cases()) {
    guarded(*row, large, [](const Row& r, const Case& c) {
      const Tensors inputs = make_inputs(c.inputs, float32);
      set_num_threads(1);
      const Tensor one = r.call(inputs, c.args);
      const Tensors one_back = r.differentiable ? gradients(r, c, inputs) : Tensors{};
      set_num_threads(3);
      const Tensor three = r.call(inputs, c.args);
      const Tensors three_back = r.differentiable ? gradients(r, c, inputs) : Tensors{};
      CHECK(equal(one, three));
      for (std::size_t i = 0; i < one_back.size(); ++i) CHECK(equal(one_back[i], three_back[i]));
    });
  }
  set_num_threads(before);
}

TEST_CASE("wrong calls are refused with one exact line") {
  static const std::map<std::string, std::string> operators = {
      {"operator+", "add"}, {"operator-", "sub"}, {"operator*", "mul"}, {"operator/", "div"},
      {"operator<", "lt"},  {"operator<=", "le"}, {"operator>", "gt"},  {"operator>=", "ge"}};
  for (const Row& row : op_table()) {
    CAPTURE(row.name);
    std::vector<BadCall> bad_calls = row.bad_calls;
    if (row.broadcasts) {
      const std::string op = operators.contains(row.op()) ? operators.at(row.op()) : row.op();
      const Case bad = with_shapes(row.cases[0], {{2, 3}, {4}, {4}});
      bad_calls.push_back({[&row, bad] { row.call(make_inputs(bad.inputs, float32), bad.args); },
                           op + ": shapes do not broadcast: (2, 3) and (4,)"});
    }
    CHECK_FALSE(bad_calls.empty());
    for (const BadCall& bad : bad_calls) {
      CAPTURE(bad.message);
      try {
        bad.call();
        FAIL_CHECK("no error");
      } catch (const Error& error) {
        CHECK(std::string(error.what()) == bad.message);
      } catch (const std::exception& error) {
        FAIL_CHECK("not a gradus::Error: " << std::string(error.what()));
      }
    }
  }
}

}  // namespace
}  // namespace gradus::test
