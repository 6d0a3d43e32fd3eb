#include <doctest/doctest.h>

#include <cmath>
#include <fstream>
#include <functional>
#include <limits>
#include <map>
#include <string>
#include <vector>
#include <nlohmann/json.hpp>

#include "gradus/autograd.hpp"
#include "gradus/factory.hpp"
#include "gradus/ops.hpp"
#include "gradus/optim.hpp"
#include "messages.hpp"

using namespace gradus;
using gradus::tests::contains;
using gradus::tests::message_of;
using optim::LBFGS;
using optim::LBFGSOptions;
using optim::LineSearch;

namespace {

using Params = std::vector<Tensor>;
using StateDict = std::map<std::string, Tensor>;

constexpr auto wolfe = LineSearch::strong_wolfe;

// The cases of tools/reference/lbfgs.py.
const std::map<std::string, LBFGSOptions>& cases() {
  static const std::map<std::string, LBFGSOptions> all{
      {"default", {}},
      {"lr,max_iter", {.lr = 0.3, .max_iter = 1}},
      {"history_size", {.lr = 0.5, .max_iter = 2, .history_size = 3}},
      {"tolerances", {.lr = 0.7, .max_iter = 5, .tolerance_grad = 1e-4, .tolerance_change = 1e-6}},
      {"strong_wolfe", {.line_search_fn = wolfe}},
      {"strong_wolfe,max_iter", {.max_iter = 1, .history_size = 2, .line_search_fn = wolfe}},
      {"strong_wolfe,lr,max_eval", {.lr = 0.05, .max_iter = 4, .max_eval = 6, .line_search_fn = wolfe}},
      {"strong_wolfe,tolerance_change", {.lr = 5, .max_iter = 4, .tolerance_change = 0.1, .line_search_fn = wolfe}},
      {"strong_wolfe,long steps", {.lr = 20, .max_iter = 3, .line_search_fn = wolfe}},
  };
  return all;
}

nlohmann::json read(const std::string& name) {
  return nlohmann::json::parse(std::ifstream(GRADUS_SOURCE_DIR "/tests/data/" + name));
}

Tensor joined(const Params& params) {
  Params flat;
  for (const Tensor& p : params) flat.push_back(p.detach().flatten());
  return cat(flat);
}

Tensor rosenbrock(const Params& params) {
  const Tensor x = params[0][0], y = params[0][1];
  return (square(1.0 - x) + 100.0 * square(y - square(x))) / 1000.0;
}

Tensor net(const Params& params) {
  static const Tensor x =
      tensor({{-1.0, -1.0}, {-1.0, 1.0}, {1.0, -1.0}, {1.0, 1.0}, {0.5, -0.25}, {0.5, -0.25}}, {.dtype = float64});
  static const Tensor y = tensor({{-1.0}, {1.0}, {1.0}, {-1.0}, {2.0}, {-1.5}}, {.dtype = float64});
  return mse_loss(linear(tanh(linear(x, params[0], params[1])), params[2], params[3]), y) / 4.0;
}

Tensor steep(const Params& params) { return 1e5 * rosenbrock(params); }

struct Task {
  std::string name;
  std::function<Tensor(const Params&)> loss;
};

const std::vector<Task>& tasks() {
  static const std::vector<Task> all{{"rosenbrock", rosenbrock}, {"net", net}, {"steep", steep}};
  return all;
}

Params start_of(const std::string& task) {
  static const nlohmann::json json = read("optim_reference.json");
  const auto& data = json["problems"][task == "steep" ? "rosenbrock" : task];
  Params params;
  for (std::size_t i = 0; i < data["shapes"].size(); ++i) {
    const auto shape = data["shapes"][i].get<std::vector<std::int64_t>>();
    const auto values = data["initial"][i].get<std::vector<double>>();
    params.push_back(tensor(values, {.dtype = float64}).reshape(Shape(std::span(shape))).clone().set_requires_grad());
  }
  return params;
}

Params copy_of(const Params& params) {
  Params copies;
  for (const Tensor& p : params) copies.push_back(p.detach().clone().set_requires_grad());
  return copies;
}

template <class Loss>
double step(optim::Optimizer& optimizer, const Params& params, const Loss& loss) {
  return optimizer
      .step([&] {
        optimizer.zero_grad();
        Tensor value = loss(params);
        value.backward();
        return value;
      })
      .item();
}

}  // namespace

TEST_CASE("LBFGS goes PyTorch's way") {
  const nlohmann::json json = read("lbfgs_reference.json");
  CHECK(json["cases"].size() == cases().size());
  for (const auto& [name, options] : cases()) {
    for (const Task& task : tasks()) {
      if (!json["cases"][name].contains(task.name)) continue;
      CAPTURE(name);
      CAPTURE(task.name);
      Params params = start_of(task.name);
      LBFGS optimizer(params, options);
      int made = 0;
      for (const auto& seen : json["cases"][name][task.name]) {
        const int wanted = seen["step"].get<int>();
        CAPTURE(wanted);
        for (; made < wanted; ++made) step(optimizer, params, task.loss);
        const Tensor theirs = tensor(seen["values"].get<std::vector<double>>(), {.dtype = float64});
        const double scale = std::max(1.0, theirs.abs().max().item());
        CHECK((joined(params) - theirs).abs().max().item() / scale < 1e-6);
        CHECK(optimizer.state_dict().at("state.0.n_iter").item() == seen["n_iter"].get<double>());
        CHECK(optimizer.state_dict().at("state.0.func_evals").item() == seen["func_evals"].get<double>());
      }
    }
  }
}

TEST_CASE("LBFGS resumes from its state bit for bit, with the history as stacked tensors") {
  for (const auto& [name, options] : cases()) {
    CAPTURE(name);
    Params params = start_of("net");
    LBFGS optimizer(params, options);
    for (int i = 0; i < 3; ++i) step(optimizer, params, net);
    StateDict state;
    for (const auto& [key, value] : optimizer.state_dict()) state.emplace(key, value.clone());
    Params resumed_params = copy_of(params);
    for (int i = 0; i < 4; ++i) step(optimizer, params, net);

    LBFGS resumed(resumed_params, options);
    resumed.load_state_dict(state);
    for (int i = 0; i < 4; ++i) step(resumed, resumed_params, net);
    CHECK(equal(joined(params), joined(resumed_params)));

    const std::int64_t pairs = state.at("state.0.ro").numel();
    CHECK(pairs <= options.history_size);
    CHECK((pairs > 0 || options.tolerance_change > 0.01));  // such a tolerance ends it before
    CHECK(state.at("state.0.old_dirs").shape() == Shape{pairs, 13});
    CHECK(state.at("state.0.old_stps").shape() == Shape{pairs, 13});
    CHECK(state.at("state.0.d").shape() == Shape{13});
  }
}

TEST_CASE("LBFGS refuses a state that is not its own, and keeps the one it has") {
  Params params = start_of("net");
  LBFGS optimizer(params, {.max_iter = 3});
  step(optimizer, params, net);
  const StateDict good = optimizer.state_dict();
  const auto error = [&](auto change) {
    StateDict bad = good;
    change(bad);
    return message_of([&] { optimizer.load_state_dict(bad); });
  };
  CHECK(error([](StateDict& s) { s.erase("state.0.n_iter"); }) == "load_state_dict: missing key: state.0.n_iter");
  CHECK(error([](StateDict& s) { s.erase("state.0.ro"); }) == "load_state_dict: missing key: state.0.ro");
  CHECK(error([](StateDict& s) { s["state.0.x"] = tensor(1.0); }) == "load_state_dict: unexpected key: state.0.x");
  CHECK(error([](StateDict& s) { s["state.0.d"] = zeros({12}, {.dtype = float64}); }) ==
        "load_state_dict: state.0.d is float64 (12,), LBFGS has float64 (13,) there");
  CHECK(error([](StateDict& s) { s["state.0.d"] = zeros({13}); }) ==
        "load_state_dict: state.0.d is float32 (13,), LBFGS has float64 (13,) there");
  CHECK(error([](StateDict& s) { s["state.1.step"] = tensor(1); }) == "load_state_dict: unexpected key: state.1.step");
  for (const double count : {std::numeric_limits<double>::quiet_NaN(), 1e300, -1.0}) {
    const Tensor value = tensor(count, {.dtype = float64});
    for (const std::string name : {"n_iter", "func_evals"}) {
      CHECK(contains(error([&](StateDict& s) { s["state.0." + name] = value; }),
                     "load_state_dict: state.0." + name + " is no count: "));
    }
  }
  CHECK(error([](StateDict& s) {
          s["state.0.old_stps"] = zeros({7, 13}, {.dtype = float64});
        }) == "load_state_dict: state.0.old_stps is float64 (7, 13), LBFGS has float64 (1, 13) there");
  CHECK(error([](StateDict& s) { s["state.0.t"] = zeros({2}); }) ==
        "load_state_dict: state.0.t must be a number, got float32 (2,)");
  for (const auto& [key, value] : good) CHECK(equal(optimizer.state_dict().at(key), value));
}

TEST_CASE("LBFGS in float32 ends where it does in float64") {
  for (const LineSearch search : {LineSearch::none, wolfe}) {
    Params params{tensor({-1.2F, 1.0F}, {.requires_grad = true})};
    LBFGS optimizer(params, {.line_search_fn = search});
    for (int i = 0; i < 10; ++i) step(optimizer, params, rosenbrock);
    CHECK(allclose(params[0], tensor({1.0F, 1.0F}), {.rtol = 0, .atol = 2e-2}));
  }
}

TEST_CASE("LBFGS leaves parameters without a gradient alone, and they change nothing") {
  Params alone = start_of("rosenbrock"), params = copy_of(alone);
  params.push_back(ones({2, 2}, {.dtype = float64}));
  params.push_back(ones({3}, {.dtype = float64, .requires_grad = true}));
  LBFGS a(alone, {.line_search_fn = wolfe}), b(params, {.line_search_fn = wolfe});
  for (int i = 0; i < 3; ++i) {
    step(a, alone, rosenbrock);
    step(b, params, rosenbrock);
  }
  CHECK(allclose(alone[0], params[0], {.rtol = 1e-9}));
  CHECK(equal(params[1], ones({2, 2}, {.dtype = float64})));
  CHECK(equal(params[2].detach(), ones({3}, {.dtype = float64})));
}

TEST_CASE("LBFGS moves one tensor exactly like its pieces, contiguous or not") {
  const auto valley = [](const Tensor& x) {
    const Tensor here = x.narrow(0, 0, 5), next = x.narrow(0, 1, 5);
    return sum(100.0 * square(next - square(here)) + square(1.0 - here));
  };
  const Tensor start = tensor({{-1.2, 1.0, -1.2}, {1.0, -1.2, 1.0}}, {.dtype = float64});
  Params whole{start.clone().set_requires_grad()};
  Params rows{start[0].clone().set_requires_grad(), start[1].clone().set_requires_grad()};
  Params strided{start.t().contiguous().t().set_requires_grad()};
  REQUIRE_FALSE(strided[0].is_contiguous());
  const LBFGSOptions options{.max_iter = 5, .line_search_fn = wolfe};
  LBFGS a(whole, options), b(rows, options), c(strided, options);
  for (int i = 0; i < 3; ++i) {
    step(a, whole, [&](const Params& p) { return valley(p[0].flatten()); });
    step(b, rows, [&](const Params& p) { return valley(cat(p)); });
    step(c, strided, [&](const Params& p) { return valley(p[0].flatten()); });
    CHECK(equal(joined(whole), joined(rows)));
    CHECK(equal(joined(whole), joined(strided)));
  }
  CHECK_FALSE(equal(whole[0].detach(), start));
}

TEST_CASE("LBFGS at a minimum, or without gradients, stays and stops after one evaluation") {
  Params params{tensor({1.0, 1.0}, {.dtype = float64, .requires_grad = true})};
  LBFGS optimizer(params);
  CHECK(step(optimizer, params, rosenbrock) == 0);
  CHECK(equal(params[0].detach(), ones({2}, {.dtype = float64})));
  CHECK(optimizer.state_dict().at("state.0.func_evals").item() == 1);
  optimizer.zero_grad();
  optimizer.step([] { return tensor(3.0); });
  CHECK(optimizer.state_dict().at("state.0.func_evals").item() == 2);
  LBFGS resumed(params);
  resumed.load_state_dict(optimizer.state_dict());
  CHECK(resumed.state_dict().at("state.0.n_iter").item() == 0);
}

TEST_CASE("LBFGS whose closure throws is as it was before the step") {
  for (const LineSearch search : {LineSearch::none, wolfe}) {
    for (int fails_at = 1; fails_at < 12; ++fails_at) {
      Params params = start_of("net"), twin = copy_of(params);
      LBFGS optimizer(params, {.line_search_fn = search}), untouched(twin, {.line_search_fn = search});
      int calls = 0;
      const auto failing = [&](const Params& p) {
        if (++calls == fails_at) throw std::runtime_error("no more data");
        return net(p);
      };
      while (true) {
        try {
          step(optimizer, params, failing);
        } catch (const std::runtime_error&) {
          break;
        }
        step(untouched, twin, net);
      }
      CHECK(equal(joined(params), joined(twin)));
      step(optimizer, params, net);
      step(untouched, twin, net);
      CHECK(equal(joined(params), joined(twin)));
    }
  }
}

TEST_CASE("LBFGS refuses a loss that is not finite, but searches around one") {
  // Finite only where x is above 0; a long step from 4 leaves that.
  const auto barrier = [](const Params& p) { return sum(p[0] - log(p[0])); };
  Params params{tensor({4.0}, {.dtype = float64, .requires_grad = true})};
  LBFGS plain(params, {.lr = 10});
  CHECK(message_of([&] { step(plain, params, barrier); }) == "LBFGS: the loss is nan");
  CHECK(params[0].item() == 4);
  LBFGS searching(params, {.lr = 10, .line_search_fn = wolfe});
  for (int i = 0; i < 3; ++i) step(searching, params, barrier);
  CHECK(params[0].item() == doctest::Approx(1).epsilon(1e-6));

  const auto steep = [](const Params& p) { return sum(sqrt(p[0])); };
  Params at_zero{zeros({1}, {.dtype = float64, .requires_grad = true})};
  LBFGS optimizer(at_zero);
  CHECK(message_of([&] { step(optimizer, at_zero, steep); }) == "LBFGS: the gradient has an element that is inf");
}

TEST_CASE("LBFGS searches around a hole between two points of the line") {
  // sqrt(x^2 - 1) has no value between -1 and 1, where the first trial's minimum lies.
  const auto holed = [](const Params& p) {
    return sum(20.0 * sqrt(square(p[0]) - 1.0) + 0.5 * square(p[0] - 1.2) + exp(-p[0]));
  };
  for (const double lr : {3.5, 4.0, 4.2, 4.3, 4.4, 4.5}) {
    CAPTURE(lr);
    Params params{tensor({-3.0}, {.dtype = float64, .requires_grad = true})};
    LBFGS optimizer(params, {.lr = lr, .line_search_fn = wolfe});
    const double before = holed(params).item();
    CHECK(message_of([&] { step(optimizer, params, holed); }) == "");
    CHECK(holed(params).item() < before);
  }
}

TEST_CASE("LBFGS takes a shorter history at once") {
  Params params = start_of("net");
  LBFGS optimizer(params, {.max_iter = 8});
  step(optimizer, params, net);
  REQUIRE(optimizer.state_dict().at("state.0.ro").numel() > 3);
  optimizer.set_options(0, {.max_iter = 2, .history_size = 3});
  step(optimizer, params, net);
  CHECK(optimizer.state_dict().at("state.0.ro").numel() == 3);
}

TEST_CASE("LBFGS by NonFinite::skip leaves out a step that meets what is not finite, wherever that is") {
  const auto barrier = [](const Params& p) { return sum(p[0] - log(p[0])); };
  for (const double start : {-1.0, 4.0}) {  // there at once, or after a step too long
    CAPTURE(start);
    Params params{tensor({start}, {.dtype = float64, .requires_grad = true})};
    LBFGS optimizer(params, {.lr = 10});
    optimizer.set_nonfinite(optim::NonFinite::error);
    CHECK(message_of([&] { step(optimizer, params, barrier); }) == "LBFGS: the loss is nan");
    optimizer.set_nonfinite(optim::NonFinite::skip);
    optimizer.track_updates();
    const double loss = step(optimizer, params, barrier);
    CHECK((start < 0 ? std::isnan(loss) : loss == barrier(params).item()));
    CHECK(optimizer.skipped_steps() == 1);
    CHECK(optimizer.diagnostics().skipped);
    CHECK(params[0].item() == start);
    CHECK(optimizer.state_dict().size() == 2);
  }
}

TEST_CASE("LBFGS needs a closure, one group, and sensible options") {
  const Params params = start_of("net");
  LBFGS optimizer(params);
  CHECK(message_of([&] { optimizer.step(); }) ==
        "LBFGS: step() needs a closure: it evaluates the loss as often as it needs");
  const std::string groups = "LBFGS: moves all parameters as one group, got 2 groups";
  CHECK(message_of([&] { LBFGS({{.params = {params[0]}}, {.params = {params[1]}}}); }) == groups);
  CHECK(message_of([&] { optimizer.add_param_group({.params = {zeros({1})}}); }) == groups);
  optim::OptimizerOf<LBFGSOptions>& base = optimizer;
  CHECK(message_of([&] { base.add_param_group({.params = {zeros({1})}}); }) == groups);
  CHECK(optimizer.group_count() == 1);
  CHECK(message_of([&] {
          LBFGS(Params{zeros({1}), zeros({1}, {.dtype = float64})});
        }) == "LBFGS: all parameters must have one dtype, got float32 and float64");
  const auto error = [&](const LBFGSOptions& o) { return message_of([&] { LBFGS(params, o); }); };
  CHECK(error({.lr = -1}) == "LBFGS: lr must be at least 0, got -1");
  CHECK(error({.max_iter = 0}) == "LBFGS: max_iter must be at least 1, got 0");
  CHECK(error({.max_iter = 1'000'000'000'000'001}) ==
        "LBFGS: max_iter must be at most 1000000000000000, got 1000000000000001");
  CHECK(error({.max_eval = 0}) == "LBFGS: max_eval must be at least 1, got 0");
  CHECK(error({.tolerance_grad = -1}) == "LBFGS: tolerance_grad must be at least 0, got -1");
  CHECK(error({.tolerance_change = -1}) == "LBFGS: tolerance_change must be at least 0, got -1");
  CHECK(error({.history_size = 0}) == "LBFGS: history_size must be at least 1, got 0");
  CHECK(optimizer.lr() == 1);
}
