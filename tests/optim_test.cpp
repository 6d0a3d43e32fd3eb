#include "gradus/optim.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <set>
#include <nlohmann/json.hpp>

#include "gradus/autograd.hpp"
#include "gradus/factory.hpp"
#include "gradus/nn.hpp"
#include "gradus/ops.hpp"
#include "gradus/random.hpp"
#include "gradus/threads.hpp"
#include "messages.hpp"
#include "optimizer_table.hpp"
#include "rows.hpp"
#include "states.hpp"

using namespace gradus;
using tests::clone_of, tests::for_each_row, tests::message_of, tests::StateDict;

namespace {

using Params = std::vector<Tensor>;

// What PyTorch's optimizers do, and those that it had not, by the rules as they were published.
const nlohmann::json& reference() {
  static const auto json = [] {
    const auto read = [](const char* file) {
      return nlohmann::json::parse(std::ifstream(GRADUS_SOURCE_DIR "/tests/data/" + std::string(file)));
    };
    auto all = read("optim_reference.json");
    const auto published = read("published_optim_reference.json");
    for (const char* part : {"cases", "problems"}) all[part].update(published[part]);
    return all;
  }();
  return json;
}

Tensor read_values(const nlohmann::json& numbers, const nlohmann::json& shape) {
  const auto sizes = shape.get<std::vector<std::int64_t>>();
  return tensor(numbers.get<std::vector<double>>(), {.dtype = float64}).reshape(Shape(std::span(sizes)));
}

// Not rtol: a value near zero is the difference of larger ones, whose rounding it has.
bool close(const Tensor& ours, const std::vector<double>& theirs, double tolerance) {
  const Tensor wanted = tensor(theirs, {.dtype = float64});
  return allclose(ours.to(float64), wanted, {.rtol = 0, .atol = tolerance * std::max(1.0, wanted.abs().max().item())});
}

Tensor joined(const Params& params) {
  Params flat;
  for (const Tensor& p : params) flat.push_back(p.detach().flatten());
  return cat(flat);
}

// The functions that tools/reference/optim.py has.
struct Problem {
  std::string name;
  std::function<Tensor(const Params& params, std::int64_t step)> loss;
};

Tensor rosenbrock(const Params& params, std::int64_t) {
  const Tensor x = params[0][0], y = params[0][1];
  return (square(1.0 - x) + 100.0 * square(y - square(x))) / 1000.0;
}

const Tensor& inputs() {
  static const Tensor x =
      tensor({{-1.0, -1.0}, {-1.0, 1.0}, {1.0, -1.0}, {1.0, 1.0}, {0.5, -0.25}, {0.5, -0.25}}, {.dtype = float64});
  return x;
}

const Tensor& targets() {
  static const Tensor y = tensor({{-1.0}, {1.0}, {1.0}, {-1.0}, {2.0}, {-1.5}}, {.dtype = float64});
  return y;
}

Tensor net(const Params& params, std::int64_t step) {
  const std::int64_t i = step % 6;
  const Tensor hidden = tanh(linear(inputs().narrow(0, i, 1), params[0], params[1]));
  return mse_loss(linear(hidden, params[2], params[3]), targets().narrow(0, i, 1)) / 4.0;
}

Tensor two_outputs(const Params& params, std::int64_t) {
  const Tensor hidden = tanh(linear(inputs(), params[0], params[1]));
  static const Tensor second = tensor({{0.5}, {-1.0}, {1.0}, {0.25}, {-0.5}, {1.5}}, {.dtype = float64});
  return mse_loss(linear(hidden, params[2], params[3]), cat({targets(), second}, 1)) / 4.0;
}

const std::vector<Problem>& problems() {
  static const std::vector<Problem> all{{"rosenbrock", rosenbrock}, {"net", net}, {"two_outputs", two_outputs}};
  return all;
}

Tensor param_of(const Tensor& values) { return values.detach().clone().set_requires_grad(); }

Params params_of(const Params& values) {
  Params params;
  for (const Tensor& v : values) params.push_back(param_of(v));
  return params;
}

Params random_values(Dtype dtype, std::uint64_t seed = 5) {
  Generator generator(seed);
  return {randn({2, 3}, {.dtype = dtype, .generator = &generator}),
          randn({37}, {.dtype = dtype, .generator = &generator})};
}

// A gradient that depends on the step and the place, of every size.
Tensor gradient(const Tensor& like, int step) {
  Generator generator(static_cast<std::uint64_t>(step) * 1000 + static_cast<std::uint64_t>(like.numel()));
  return randn(like.shape(), {.dtype = like.dtype(), .generator = &generator}) * std::pow(2.0, step % 7 - 3);
}

void set_gradients(Params& params, int step) {
  for (Tensor& p : params) p.set_grad(gradient(p, step));
}

// Steps `first` to `last`, both included.
void run(optim::Optimizer& optimizer, Params& params, int first, int last) {
  for (int step = first; step <= last; ++step) {
    set_gradients(params, step);
    optimizer.step();
  }
}

// Bit for bit: NaN would differ from itself.
bool same(const Params& a, const Params& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!equal(a[i], b[i])) return false;
  }
  return true;
}

struct HalvingOptions {
  double lr = 0.5;
};

// A rule on whole tensors, with state of its own shape.
class Halving final : public optim::OptimizerOf<HalvingOptions> {
 public:
  using OptimizerOf::OptimizerOf;
  std::int64_t last_step = 0;

 protected:
  void update(Tensor& param, const Tensor& grad, optim::State& state, const HalvingOptions& o) override {
    last_step = state.step();
    Tensor sum_of_gradients = state.tensor("total", param);
    sum_of_gradients.add_(grad);
    param.sub_(sum_of_gradients, o.lr);
  }
};

}  // namespace

TEST_CASE("every optimizer follows the reference trajectory in both precisions") {
  const auto& json = reference();
  std::set<std::string> unseen;
  for (const auto& item : json["cases"].items()) unseen.insert(item.key());

  for_each_row(optimizer_table(), [&](const OptimizerRow& row) {
    REQUIRE(json["cases"].contains(row.name));
    unseen.erase(row.name);
    for (const Dtype dtype : {float64, float32}) {
      const std::string precision(to_string(dtype));
      CAPTURE(precision);
      const auto values_of = [&](const nlohmann::json& numbers, std::size_t i) {
        return read_values(numbers[i], json["shapes"][i]).to(dtype);
      };
      Params params{param_of(values_of(json["initial"], 0)), param_of(values_of(json["initial"], 1))};
      const auto optimizer = row.make(params);
      const auto steps = json["steps"].get<std::vector<std::size_t>>();
      std::size_t seen = 0;
      for (std::size_t step = 1; step <= json["gradients"].size(); ++step) {
        for (std::size_t i = 0; i < params.size(); ++i) params[i].set_grad(values_of(json["gradients"][step - 1], i));
        optimizer->step();
        if (step != steps[seen]) continue;
        CAPTURE(step);
        const auto expected = json["cases"][row.name][precision][seen++].get<std::vector<double>>();
        CHECK(close(joined(params), expected, dtype == float64 ? 1e-13 : 1e-6));
      }
      CHECK(seen == steps.size());

      const StateDict state = optimizer->state_dict();
      std::set<std::string> names;
      for (const auto& [key, value] : state) {
        if (key.starts_with("state.0.") && key != "state.0.step") names.insert(key.substr(8));
      }
      for (const auto& [name, theirs] : json["cases"][row.name]["state"].items()) {
        CAPTURE(name);
        CHECK(names.erase(name) == 1);
        if (!state.contains("state.0." + name)) continue;
        if (theirs.is_null()) continue;  // not unique
        CHECK(close(state.at("state.0." + name).flatten(), theirs.get<std::vector<double>>(),
                    dtype == float64 ? 1e-13 : 1e-6));
      }
      CHECK_MESSAGE(names.empty(), "not in the reference state: " << (names.empty() ? "" : *names.begin()));
    }
  });
  CHECK_MESSAGE(unseen.empty(), "a reference trajectory without a row: " << (unseen.empty() ? "" : *unseen.begin()));
}

TEST_CASE("every optimizer follows the reference for 300 steps on Rosenbrock's function and on a net") {
  const auto& json = reference();
  for_each_row(optimizer_table(), [&](const OptimizerRow& row) {
    const auto& theirs = json["cases"][row.name];
    int solved = 0;
    for (const Problem& problem : problems()) {
      if (!theirs.contains(problem.name)) continue;
      ++solved;
      CAPTURE(problem.name);
      const auto& data = json["problems"][problem.name];
      Params params;
      for (std::size_t i = 0; i < data["shapes"].size(); ++i)
        params.push_back(param_of(read_values(data["initial"][i], data["shapes"][i])));
      const auto optimizer = row.make(params);
      const double sign = theirs["maximize"].get<bool>() ? -1 : 1;
      const auto every = data["every"].get<std::size_t>();
      for (std::size_t step = 1; step <= json["problem_steps"].get<std::size_t>(); ++step) {
        optimizer->zero_grad();
        (sign * problem.loss(params, static_cast<std::int64_t>(step))).backward();
        optimizer->step();
        if (step % every != 0) continue;
        CAPTURE(step);
        CHECK(close(joined(params), theirs[problem.name][step / every - 1].get<std::vector<double>>(), 1e-9));
      }
    }
    CHECK(solved == 2);
  });
}

TEST_CASE("one tensor moves exactly like its pieces") {
  for_each_row(optimizer_table(), [](const OptimizerRow& row) {
    if (!row.elementwise) return;
    for (const Dtype dtype : {float32, float64}) {
      Generator generator(11);
      const Tensor values = randn({101}, {.dtype = dtype, .generator = &generator});
      const auto pieces = [](const Tensor& x) {
        return Params{x.narrow(0, 0, 3), x.narrow(0, 3, 61), x.narrow(0, 64, 37)};
      };
      Params whole{param_of(values)};
      Params parts = params_of(pieces(values));
      const auto one = row.make(whole);
      const auto three = row.make(parts);
      for (int step = 1; step <= 6; ++step) {
        const Tensor g = gradient(values, step);
        whole[0].set_grad(g);
        const Params g_parts = pieces(g);
        for (std::size_t i = 0; i < parts.size(); ++i) parts[i].set_grad(g_parts[i].clone());
        one->step();
        three->step();
      }
      CHECK(same(pieces(whole[0].detach()), {parts[0].detach(), parts[1].detach(), parts[2].detach()}));
    }
  });
}

TEST_CASE("a step never touches gradients, nor parameters without one") {
  for_each_row(optimizer_table(), [](const OptimizerRow& row) {
    Params params = params_of(random_values(float64));
    const Tensor before = params[1].detach().clone();
    const auto optimizer = row.make(params);
    for (int step = 1; step <= 3; ++step) {
      const Tensor g = gradient(params[0], step);
      const Tensor g_before = g.clone();
      params[0].set_grad(g);
      const Tensor held = params[0].grad();
      const std::uint32_t version = held.version();
      optimizer->step();
      CHECK(params[0].grad().is(held));
      CHECK(held.version() == version);
      CHECK(equal(held, g_before));
    }
    CHECK(equal(params[1], before));
    CHECK(params[1].version() == 0);
    CHECK_FALSE(params[1].grad().defined());
    for (const auto& [key, value] : optimizer->state_dict()) CHECK_FALSE(key.starts_with("state.1."));
  });
}

TEST_CASE("a step changes its parameter in place, without history") {
  for_each_row(optimizer_table(), [](const OptimizerRow& row) {
    Params params = params_of(random_values(float32));
    const auto optimizer = row.make(params);
    const Tensor alias = params[0].detach();
    const std::uint32_t version = params[0].version();
    run(*optimizer, params, 1, 2);
    CHECK(params[0].version() > version);
    CHECK(equal(alias, params[0]));
    CHECK(params[0].is_leaf());
    CHECK(params[0].requires_grad());
  });
}

TEST_CASE("an optimizer resumes from its state bit for bit") {
  for_each_row(optimizer_table(), [](const OptimizerRow& row) {
    for (const Dtype dtype : {float32, float64}) {
      Params params = params_of(random_values(dtype));
      const auto optimizer = row.make(params);
      run(*optimizer, params, 1, 5);
      const StateDict state = clone_of(optimizer->state_dict());
      Params resumed_params = params_of(params);
      run(*optimizer, params, 6, 12);

      const auto resumed = row.make(resumed_params);
      resumed->load_state_dict(state);
      run(*resumed, resumed_params, 6, 12);
      CHECK(same(params, resumed_params));

      // What was loaded is a copy: the state that it came from has not moved on.
      const auto again = row.make(resumed_params);
      again->load_state_dict(state);
      const StateDict reloaded = again->state_dict();
      CHECK(reloaded.size() == state.size());
      for (const auto& [key, value] : state) CHECK(equal(value, reloaded.at(key)));
    }
  });
}

TEST_CASE("a parameter or gradient that is not contiguous moves like one that is") {
  for_each_row(optimizer_table(), [](const OptimizerRow& row) {
    const Tensor values = random_values(float64)[0];
    Params dense{param_of(values)};
    Tensor transposed = values.t().contiguous().t().set_requires_grad();
    REQUIRE_FALSE(transposed.is_contiguous());
    Params strided{transposed};
    const auto a = row.make(dense);
    const auto b = row.make(strided);
    for (int step = 1; step <= 4; ++step) {
      const Tensor g = gradient(values, step);
      dense[0].set_grad(g);
      strided[0].set_grad(step % 2 ? g : g.t().contiguous().t());
      a->step();
      b->step();
    }
    CHECK(equal(dense[0], strided[0]));
  });
}

TEST_CASE("a large parameter moves the same for any number of threads") {
  const int threads = get_num_threads();
  for_each_row(optimizer_table(), [](const OptimizerRow& row) {
    if (row.name.find('/') != std::string::npos) return;  // options don't change how elements are shared out
    const Tensor values = gradient(zeros({200001}), 1);
    Params results;
    for (const int count : {1, 3}) {
      set_num_threads(count);
      Params params{param_of(values)};
      const auto optimizer = row.make(params);
      run(*optimizer, params, 1, 2);
      results.push_back(params[0].detach());
    }
    CHECK(equal(results[0], results[1]));
  });
  set_num_threads(threads);
}

TEST_CASE("a learning rate of 0 moves nothing, and set_lr is seen by the next step") {
  for_each_row(optimizer_table(), [](const OptimizerRow& row) {
    Params params = params_of(random_values(float64));
    const Params before = params_of(params);
    const auto optimizer = row.make(params);
    const double lr = optimizer->lr();
    CHECK(lr > 0);
    optimizer->set_lr(0, 0);
    CHECK(optimizer->lr() == 0);
    if (row.lr_is_the_first_step_only) return;
    run(*optimizer, params, 1, 1);
    CHECK(same(params, before));
    optimizer->set_lr(0, lr);
    run(*optimizer, params, 2, 2);
    CHECK_FALSE(equal(params[0], before[0]));
  });
}

TEST_CASE("empty parameters are fine, and zero_grad leaves every gradient undefined") {
  for_each_row(optimizer_table(), [](const OptimizerRow& row) {
    Params params{zeros({0, 3}, {.requires_grad = true}), zeros({}, {.requires_grad = true})};
    const auto optimizer = row.make(params);
    run(*optimizer, params, 1, 2);
    CHECK(params[1].item() != 0);
    for (const auto& [key, value] : optimizer->state_dict()) {
      CAPTURE(key);
      CHECK(std::isfinite(sum(value.to(float64)).item()));
    }
    row.make(params)->load_state_dict(optimizer->state_dict());
    optimizer->zero_grad();
    for (const Tensor& p : params) CHECK_FALSE(p.grad().defined());
  });
}

TEST_CASE("invalid options are refused, at construction and later") {
  const Params params = params_of(random_values(float32));
  for (const RefusedOptions& row : refused_options()) {
    CHECK(message_of([&] { row.make(params); }) == row.error);
  }
  optim::SGD optimizer(params);
  CHECK(message_of([&] { optimizer.set_lr(0, -3); }) == "SGD: lr must be at least 0, got -3");
  CHECK(message_of([&] { optimizer.set_options(0, {.momentum = -1}); }) == "SGD: momentum must be at least 0, got -1");
  CHECK(message_of([&] { optimizer.lr(1); }) == "optimizer: there is no group 1 among 1");
  CHECK(message_of([&] { optimizer.lr(-1); }) == "optimizer: there is no group -1 among 1");
  CHECK(optimizer.lr() == 1e-3);
}

TEST_CASE("a frozen parameter may be listed and stays as it is") {
  const Tensor trained = ones({2}, {.requires_grad = true}), frozen = ones({2});
  optim::Adam optimizer({trained, frozen}, {.lr = 0.1});
  sum(trained * frozen).backward();
  optimizer.step();
  CHECK(equal(frozen, ones({2})));
  CHECK_FALSE(equal(trained.detach(), ones({2})));
}

TEST_CASE("parameters that cannot be trained are refused") {
  const Tensor p = ones({2}, {.requires_grad = true}), q = ones({3}, {.requires_grad = true});
  const auto error = [](const Params& params) { return message_of([&] { optim::SGD{params}; }); };
  CHECK(error({}) == "optimizer: got an empty parameter list");
  CHECK(error({p, Tensor()}) == "optimizer: parameter 1 is undefined");
  CHECK(error({p * 2.0}) == "optimizer: parameter 0, (2,), is not a leaf but the result of an op");
  CHECK(error({p, q, p}) == "optimizer: parameter 2, (2,), is parameter 0 again");
  using Groups = std::vector<optim::SGD::Group>;
  CHECK(message_of([&] { optim::SGD{Groups{}}; }) == "optimizer: got an empty list of groups");
  CHECK(message_of([&] {
          optim::SGD{Groups{{.params = {p}}, {.params = {q, p}}}};
        }) == "optimizer: parameter 2, (2,), is parameter 0 again");
  CHECK(message_of([&] {
          optim::SGD{Groups{{.params = {p}}, {.params = {}}}};
        }) == "optimizer: got an empty parameter list");
}

TEST_CASE("a gradient that does not belong to its parameter is refused") {
  Tensor p = ones({2}, {.requires_grad = true});
  optim::Adam optimizer({p});
  CHECK(message_of([&] {
          p.set_grad(ones({2}, {.dtype = float64}));
          optimizer.step();
        }) != "");
  CHECK(message_of([&] {
          p.set_grad(ones({3}));
          optimizer.step();
        }) != "");
  CHECK(equal(p, ones({2})));
}

TEST_CASE("each group has options of its own") {
  Params params = params_of(random_values(float64));
  Params a = params_of(params), b = params_of(params);
  optim::AdamW both({{.params = {params[0]}, .options = {.lr = 0.1}},
                     {.params = {params[1]}, .options = {.lr = 0.01, .weight_decay = 0}}});
  optim::AdamW first({a[0]}, {.lr = 0.1});
  optim::AdamW second({b[1]}, {.lr = 0.01, .weight_decay = 0});
  CHECK(both.group_count() == 2);
  CHECK(both.lr(1) == 0.01);
  CHECK(both.options(1).weight_decay == 0);
  run(both, params, 1, 4);
  run(first, a, 1, 4);
  run(second, b, 1, 4);
  CHECK(equal(params[0], a[0]));
  CHECK(equal(params[1], b[1]));

  Tensor late = ones({2}, {.dtype = float64, .requires_grad = true});
  both.add_param_group({.params = {late}, .options = {.lr = 1}});
  CHECK(both.group_count() == 3);
  late.set_grad(ones({2}, {.dtype = float64}));
  both.step();
  CHECK(late[0].item() == doctest::Approx(1 - 0.01 - 1));
  CHECK(message_of([&] { both.add_param_group({.params = {late}}); }) ==
        "optimizer: parameter 3, (2,), is parameter 2 again");
  CHECK(both.group_count() == 3);
}

TEST_CASE("bias correction counts each parameter's own updates") {
  Params params = params_of(random_values(float64));
  Params alone = params_of(params);
  optim::Adam optimizer(params, {.lr = 0.1});
  optim::Adam late({alone[1]}, {.lr = 0.1});
  for (int step = 1; step <= 6; ++step) {
    optimizer.zero_grad();
    params[0].set_grad(gradient(params[0], step));
    if (step > 3) {
      params[1].set_grad(gradient(params[1], step));
      alone[1].set_grad(gradient(alone[1], step));
      late.step();
    }
    optimizer.step();
  }
  CHECK(equal(params[1], alone[1]));
}

TEST_CASE("state keys are PyTorch's, flattened") {
  Params params = params_of(random_values(float32));
  optim::Adam adam(params);
  optim::SGD sgd({{.params = {params[0]}, .options = {.lr = 0.1, .momentum = 0.9}}, {.params = {params[1]}}});
  run(adam, params, 1, 1);
  run(sgd, params, 1, 1);
  const auto keys = [](const StateDict& state) {
    std::string joined;
    for (const auto& [key, value] : state) joined += key + " ";
    return joined;
  };
  CHECK(keys(adam.state_dict()) ==
        "param_groups.0.betas param_groups.0.lr param_groups.0.params "
        "state.0.exp_avg state.0.exp_avg_sq state.0.step "
        "state.1.exp_avg state.1.exp_avg_sq state.1.step ");
  CHECK(keys(sgd.state_dict()) ==
        "param_groups.0.lr param_groups.0.momentum param_groups.0.params "
        "param_groups.1.lr param_groups.1.momentum param_groups.1.params "
        "state.0.momentum_buffer state.0.step state.1.step ");
  CHECK(equal(sgd.state_dict().at("param_groups.1.params"), tensor({1})));
  CHECK(adam.state_dict().at("state.1.step").item<std::int64_t>() == 1);
}

TEST_CASE("a number of the state may be float32, as PyTorch has it, and must be one") {
  Params params = params_of(random_values(float64));
  optim::NAdam optimizer(params, {.lr = 0.1});
  run(optimizer, params, 1, 2);
  StateDict state = clone_of(optimizer.state_dict());
  CHECK(state.at("state.0.mu_product").dtype() == float64);
  CHECK(state.at("state.0.mu_product").shape() == Shape{});

  state["state.0.mu_product"] = tensor(0.5F);
  optimizer.load_state_dict(state);
  CHECK(optimizer.state_dict().at("state.0.mu_product").item() == 0.5);
  run(optimizer, params, 3, 3);
  const double momentum = 0.9 * (1 - 0.5 * std::pow(0.96, 3 * 4e-3));
  CHECK(optimizer.state_dict().at("state.0.mu_product").item() == doctest::Approx(0.5 * momentum).epsilon(1e-14));

  const auto error = [&](const Tensor& number) {
    state["state.0.mu_product"] = number;
    return message_of([&] { optimizer.load_state_dict(state); });
  };
  CHECK(error(ones({1})) == "load_state_dict: state.0.mu_product must be a number, got float32 (1,)");
  CHECK(error(tensor(1)) == "load_state_dict: state.0.mu_product must be a number, got int64 ()");
  state.erase("state.0.mu_product");
  CHECK(message_of([&] { optimizer.load_state_dict(state); }) == "load_state_dict: missing key: state.0.mu_product");
}

TEST_CASE("ASGD's eta looks at the learning rate of its own step, and its average starts after t0") {
  Tensor p = zeros({1}, {.dtype = float64, .requires_grad = true});
  optim::ASGD optimizer({p}, {.lr = 1, .lambd = 0, .t0 = 0});
  std::vector<double> values;
  for (const double lr : {1.0, 0.5, 2.0, 4.0}) {
    optimizer.set_lr(0, lr);
    p.set_grad(-ones({1}, {.dtype = float64}));
    optimizer.step();
    values.push_back(p.detach().item());
  }
  CHECK(values == std::vector<double>{1, 1.5, 3.5, 7.5});
  CHECK(optimizer.state_dict().at("state.0.ax").item() == doctest::Approx((1.5 + 3.5 + 7.5) / 3));
}

TEST_CASE("Rprop's learning rate is its first step size, within step_sizes") {
  Tensor p = zeros({3}, {.dtype = float64, .requires_grad = true});
  optim::Rprop optimizer({p}, {.lr = 0.1, .step_sizes = {0.2, 50}});
  const Tensor g = tensor({2.0, -1.0, 0.0}, {.dtype = float64});
  p.set_grad(g);
  optimizer.step();
  CHECK(equal(p, tensor({-0.2, 0.2, 0.0}, {.dtype = float64})));
  optimizer.set_lr(0, 0);
  p.set_grad(-g);  // both signs change: nothing moves, and the next step changes no step size
  optimizer.step();
  CHECK(equal(p, tensor({-0.2, 0.2, 0.0}, {.dtype = float64})));
  optimizer.step();
  CHECK(allclose(p, tensor({0.0, 0.0, 0.0}, {.dtype = float64})));
}

TEST_CASE("a centered RMSprop survives gradients that do not vary") {
  Tensor p = zeros({100}, {.requires_grad = true});
  optim::RMSprop optimizer({p}, {.alpha = 0.3, .centered = true});
  Generator generator(3);
  p.set_grad(randn({100}, {.generator = &generator}));
  for (int step = 0; step < 50; ++step) optimizer.step();
  CHECK(std::isfinite(sum(p).item()));
}

TEST_CASE("the learning rate travels with the state") {
  Params params = params_of(random_values(float32));
  optim::SGD optimizer(params, {.lr = 0.5});
  optimizer.set_lr(0, 0.123);
  optim::SGD other(params, {.lr = 0.5});
  other.load_state_dict(optimizer.state_dict());
  CHECK(other.lr() == 0.123);
}

TEST_CASE("a state of another optimizer is refused, and changes nothing") {
  Params params = params_of(random_values(float32));
  optim::Adam optimizer(params, {.lr = 0.1});
  run(optimizer, params, 1, 2);
  const StateDict good = clone_of(optimizer.state_dict());
  const auto error = [&](const std::function<void(StateDict&)>& spoil) {
    StateDict state = good;
    state["param_groups.0.lr"] = tensor(7.0);
    spoil(state);
    return message_of([&] { optimizer.load_state_dict(state); });
  };
  CHECK(error([](StateDict& s) { s.erase("param_groups.0.lr"); }) == "load_state_dict: missing key: param_groups.0.lr");
  CHECK(error([](StateDict& s) { s.erase("state.1.step"); }) == "load_state_dict: missing key: state.1.step");
  CHECK(error([](StateDict& s) { s["state.2.step"] = tensor(1); }) == "load_state_dict: unexpected key: state.2.step");
  CHECK(error([](StateDict& s) { s["param_groups.1.lr"] = tensor(1.0); }) ==
        "load_state_dict: unexpected key: param_groups.1.lr");
  CHECK(error([](StateDict& s) {
          s["param_groups.0.params"] = tensor({0, 1, 2});
        }) == "load_state_dict: group 0 has 3 parameters, which are not the optimizer's 2");
  CHECK(error([](StateDict& s) { s["state.0.step"] = tensor(-1); }) ==
        "load_state_dict: state.0.step must be a whole number of at least 1, got -1");
  CHECK(error([](StateDict& s) { s["state.0.step"] = tensor(1.5); }) ==
        "load_state_dict: state.0.step must be a whole number of at least 1, got 1.5");
  CHECK(error([](StateDict& s) { s["param_groups.0.lr"] = tensor(INFINITY); }) ==
        "load_state_dict: param_groups.0.lr must be finite, got inf");
  CHECK(error([](StateDict& s) {
          s["param_groups.0.betas"] = tensor({NAN, 0.5});
        }) == "load_state_dict: param_groups.0.betas must be finite, got nan");
  CHECK(error([](StateDict& s) { s["state.0.step"] = ones({2}); }) ==
        "load_state_dict: state.0.step must be one number, its shape is (2,)");
  CHECK(error([](StateDict& s) {
          s["state.0.exp_avg"] = ones({3, 2});
        }) == "load_state_dict: state.0.exp_avg is float32 (3, 2), the parameter is float32 (2, 3)");
  CHECK(error([](StateDict& s) {
          s["state.0.exp_avg"] = ones({2, 3}, {.dtype = float64});
        }) == "load_state_dict: state.0.exp_avg is float64 (2, 3), the parameter is float32 (2, 3)");
  CHECK(error([](StateDict& s) { s["state.0.exp_avg"] = tensor(1.0F); }) ==
        "load_state_dict: state.0.exp_avg is float32 (), the parameter is float32 (2, 3)");
  CHECK(error([](StateDict& s) { s.erase("state.1.exp_avg_sq"); }) ==
        "load_state_dict: missing key: state.1.exp_avg_sq");
  CHECK(error([](StateDict& s) { s["state.0.momentum_buffer"] = s["state.0.exp_avg"]; }) ==
        "load_state_dict: unexpected key: state.0.momentum_buffer");
  CHECK(error([](StateDict& s) { s["state.0.exp_avg"] = Tensor(); }) ==
        "load_state_dict: state.0.exp_avg is undefined");
  CHECK(error([](StateDict& s) { s["param_groups.0.lr"] = tensor(-1.0); }) == "Adam: lr must be at least 0, got -1");

  CHECK(optimizer.lr() == 0.1);
  const StateDict after = optimizer.state_dict();
  for (const auto& [key, value] : good) CHECK(equal(value, after.at(key)));
}

TEST_CASE("step(closure) evaluates with gradients, steps, and returns the loss") {
  Tensor w = tensor({5.0, 3.0}, {.dtype = float64, .requires_grad = true});
  optim::SGD optimizer({w}, {.lr = 0.1});
  int calls = 0;
  const auto closure = [&] {
    ++calls;
    optimizer.zero_grad();
    Tensor loss = sum(square(w));
    loss.backward();
    return loss;
  };
  const NoGrad guard;  // of a caller who records nothing
  const Tensor loss = optimizer.step(closure);
  CHECK(calls == 1);
  CHECK(loss.item() == 34);
  CHECK(equal(w, tensor({5.0 - 0.1 * 10, 3.0 - 0.1 * 6}, {.dtype = float64})));
}

TEST_CASE("a rule of one's own is its update; the base does the rest") {
  Tensor p = tensor({1.0, 2.0}, {.dtype = float64, .requires_grad = true});
  Halving optimizer({p});
  CHECK(optimizer.lr() == 0.5);
  for (int i = 0; i < 3; ++i) {
    p.set_grad(ones({2}, {.dtype = float64}));
    optimizer.step();
    CHECK(optimizer.last_step == i + 1);
  }
  CHECK(equal(p, tensor({1.0 - 3, 2.0 - 3}, {.dtype = float64})));
  CHECK(equal(optimizer.state_dict().at("state.0.total"), tensor({3.0, 3.0}, {.dtype = float64})));
  Halving resumed({p});
  resumed.load_state_dict(optimizer.state_dict());
  p.set_grad(ones({2}, {.dtype = float64}));
  resumed.step();
  CHECK(resumed.last_step == 4);
  CHECK(equal(p, tensor({-4.0, -3.0}, {.dtype = float64})));
}

TEST_CASE("an optimizer can be moved") {
  Params params = params_of(random_values(float64));
  Params twin = params_of(params);
  optim::Adam a(params), b(twin);
  run(a, params, 1, 2);
  optim::Adam moved = std::move(a);
  run(moved, params, 3, 4);
  run(b, twin, 1, 4);
  CHECK(same(params, twin));
}

TEST_CASE("every optimizer lowers a loss through the tape") {
  for (const std::string name : {"SGD/momentum", "Adam/lr", "AdamW/lr,weight_decay", "RMSprop/momentum",
                                 "Adagrad/lr_decay", "Adamax/lr", "NAdam/lr,momentum_decay", "Rprop/lr", "ASGD/lr",
                                 "Adafactor/lr", "ScheduleFreeAdamW/lr,betas", "ScheduleFreeSGD/lr,momentum"}) {
    CAPTURE(name);
    for (const OptimizerRow& row : optimizer_table()) {
      if (row.name != name) continue;
      manual_seed(4);
      nn::Linear model(3, 1);
      const Tensor x = randn({64, 3}), y = matmul(x, randn({3, 1}));
      const auto optimizer = row.make(model.parameters());
      const double before = mse_loss(model(x), y).item();
      for (int step = 0; step < 60; ++step) {
        optimizer->zero_grad();
        mse_loss(model(x), y).backward();
        optimizer->step();
      }
      CHECK(mse_loss(model(x), y).item() < 0.1 * before);
    }
  }
}

TEST_CASE("a rule cannot name a state like the count of its steps") {
  struct Options {
    double lr = 1;
    int kind = 0;
  };
  struct Rule final : optim::OptimizerOf<Options> {
    using OptimizerOf::OptimizerOf;
    void update(Tensor& param, const Tensor&, optim::State& state, const Options& o) override {
      if (o.kind == 0) state.tensor("step", param);
      if (o.kind == 1) state.number("step", 1);
      if (o.kind == 2) state.set_value("step", param);
    }
  };
  for (const int kind : {0, 1, 2}) {
    CAPTURE(kind);
    Tensor p = ones({2}, {.requires_grad = true});
    p.set_grad(ones({2}));
    Rule rule({p}, {.kind = kind});
    CHECK(message_of([&] { rule.step(); }) == "optimizer: a state cannot be named step, which is the count of updates");
  }
}
