#include "gradus/optim/lbfgs.hpp"

#include <algorithm>
#include <cmath>
#include <deque>
#include <limits>

#include "gradus/autograd.hpp"
#include "gradus/factory.hpp"
#include "gradus/ops.hpp"
#include "nn/gradients.hpp"
#include "optim/flat_parameters.hpp"
#include "optim/fused.hpp"
#include "optim/strong_wolfe.hpp"

namespace gradus::optim {
namespace {

double inner(const Tensor& a, const Tensor& b) { return dot(a, b).item(); }

// What one iteration leaves to the next. The names in the state are PyTorch's.
struct Memory {
  struct Pair {
    Tensor y;  // the change of the gradient
    Tensor s;  // the step that made it
    double rho = 0;
  };

  Tensor direction;
  Tensor gradient;  // where the direction starts
  double t = 0;
  double loss = 0;
  double scale = 1;  // of the first approximation of the inverse Hessian
  std::deque<Pair> pairs;

  static Memory read(const State& state) {
    Memory m;
    if (!state.has("d")) return m;
    m.direction = state.value("d");
    m.gradient = state.value("prev_flat_grad");
    m.t = state.value("t").item();
    m.loss = state.value("prev_loss").item();
    m.scale = state.value("H_diag").item();
    const Tensor ys = state.value("old_dirs"), ss = state.value("old_stps"), rhos = state.value("ro");
    for (std::int64_t i = 0; i < rhos.numel(); ++i) m.pairs.push_back({ys[i], ss[i], rhos[i].item()});
    return m;
  }

  void write(State& state) const {
    std::vector<Tensor> ys, ss;
    std::vector<double> rhos;
    for (const Pair& pair : pairs) {
      ys.push_back(pair.y);
      ss.push_back(pair.s);
      rhos.push_back(pair.rho);
    }
    const Tensor none = zeros({0, direction.numel()}, {.dtype = direction.dtype()});
    state.set_value("old_dirs", ys.empty() ? none : stack(ys));
    state.set_value("old_stps", ss.empty() ? none : stack(ss));
    state.set_value("ro", tensor(rhos, {.dtype = float64}));
    state.set_value("d", direction);
    state.set_value("prev_flat_grad", gradient);
    state.number("t", 0) = t;
    state.number("prev_loss", 0) = loss;
    state.number("H_diag", 1) = scale;
  }

  // Remembers the last step, unless curvature along it is not positive.
  void learn(const Tensor& new_gradient, std::int64_t history_size) {
    const Tensor y = new_gradient - gradient, s = direction * t;
    const double ys = inner(y, s);
    if (!(ys > 1e-10)) return;
    while (static_cast<std::int64_t>(pairs.size()) >= history_size) pairs.pop_front();
    pairs.push_back({y, s, 1 / ys});
    scale = ys / inner(y, y);
  }

  // -H g by the two-loop recursion.
  Tensor newton_direction(const Tensor& g) const {
    std::vector<double> alphas(pairs.size());
    Tensor r = -g;
    for (std::size_t i = pairs.size(); i-- > 0;) {
      alphas[i] = inner(pairs[i].s, r) * pairs[i].rho;
      r.add_(pairs[i].y, -alphas[i]);
    }
    r.mul_(scale);
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      const double beta = inner(pairs[i].y, r) * pairs[i].rho;
      r.add_(pairs[i].s, alphas[i] - beta);
    }
    return r;
  }
};

struct Evaluation {
  Tensor result;  // of the closure
  double loss = 0;
  Tensor gradient;
};

// The closure as a function of the flat vector x.
class Objective {
 public:
  Objective(const std::vector<Tensor>& params, Closure closure) : x_(params), closure_(closure) {}

  Evaluation here() {
    EnableGrad guard;
    ++evaluations_;
    const Tensor loss = closure_();
    return {loss, loss.item(), x_.gradient()};
  }

  LinePoint on_line(const Tensor& start, const Tensor& direction, double t) {
    x_.move_to(start.add(direction, t));
    const Evaluation e = here();
    const double slope = inner(e.gradient, direction);
    const bool has_value = std::isfinite(e.loss) && std::isfinite(slope);
    return {t, has_value ? e.loss : std::numeric_limits<double>::quiet_NaN(), slope, e.gradient};
  }

  Tensor point() const { return x_.point(); }
  void move_to(const Tensor& point) { x_.move_to(point); }
  std::int64_t evaluations() const { return evaluations_; }

 private:
  FlatParameters x_;
  Closure closure_;
  std::int64_t evaluations_ = 0;
};

// The largest element of the gradient, once it is clear that there is one.
double checked_slope(double loss, const Tensor& gradient, const Tensor& first) {
  const double slope = largest(gradient);
  check_finite("LBFGS", "the loss is", loss, first);
  check_finite("LBFGS", "the gradient has an element that is", slope, first);
  return slope;
}

// How far a parameter may still move in a bracket of the line search: PyTorch's, which takes no option for it.
constexpr double narrowest = 1e-9;

class Step {
 public:
  Step(Objective& objective, Memory& memory, std::int64_t done, const LBFGSOptions& options)
      : f_(objective), m_(memory), iterations_(done), o_(options) {}

  // From the point where the parameters are. Returns the number of all iterations so far.
  std::int64_t run(const Evaluation& first) {
    const std::int64_t max_eval = o_.max_eval.value_or(o_.max_iter * 5 / 4);
    const std::int64_t last = iterations_ + o_.max_iter;
    first_ = first.result;
    loss_ = first.loss;
    gradient_ = first.gradient;
    while (iterations_ < last) {
      ++iterations_;
      choose_direction();
      const double slope = inner(gradient_, m_.direction);
      if (slope > -o_.tolerance_change) break;
      advance(slope, iterations_ == last);
      if (iterations_ == last || f_.evaluations() >= max_eval || steepest_ <= o_.tolerance_grad) break;
      if (largest(m_.direction * m_.t) <= o_.tolerance_change) break;
      if (std::abs(loss_ - m_.loss) < o_.tolerance_change) break;
    }
    return iterations_;
  }

 private:
  void choose_direction() {
    if (m_.direction.defined()) {
      m_.learn(gradient_, o_.history_size);
      m_.direction = m_.newton_direction(gradient_);
      m_.t = o_.lr;
    } else {
      m_.direction = -gradient_;
      m_.t = std::min(1.0, 1 / gradient_.abs().sum().item()) * o_.lr;
    }
    m_.gradient = gradient_;
    m_.loss = loss_;
  }

  void advance(double slope, bool is_last) {
    const Tensor start = f_.point();
    if (o_.line_search_fn == LineSearch::strong_wolfe) {
      const auto line = [&](double t) { return f_.on_line(start, m_.direction, t); };
      const LinePoint found = strong_wolfe(line, {0, loss_, slope, gradient_}, m_.t, narrowest / largest(m_.direction));
      m_.t = found.t;
      f_.move_to(start.add(m_.direction, m_.t));
      see(found.loss, found.gradient);
    } else {
      f_.move_to(start.add(m_.direction, m_.t));
      if (is_last) return;  // nobody would look at the loss there
      const Evaluation e = f_.here();
      see(e.loss, e.gradient);
    }
  }

  void see(double loss, const Tensor& gradient) {
    loss_ = loss;
    gradient_ = gradient;
    steepest_ = checked_slope(loss, gradient, first_);
  }

  Objective& f_;
  Memory& m_;
  std::int64_t iterations_;
  const LBFGSOptions& o_;
  Tensor first_;  // the loss before the step
  double loss_ = 0;
  Tensor gradient_;
  double steepest_ = 0;
};

// A double counts that far exactly.
constexpr std::int64_t most_iterations = 1'000'000'000'000'000;

// Before the first direction there are only the two counts.
constexpr Optimizer::StateName lbfgs_state[] = {
    {.name = "n_iter", .is_number = true},
    {.name = "func_evals", .is_number = true},
    {.name = "t", .required = false, .is_number = true},
    {.name = "prev_loss", .required = false, .is_number = true},
    {.name = "H_diag", .required = false, .is_number = true},
    {.name = "d", .required = false},
    {.name = "prev_flat_grad", .required = false},
    {.name = "old_dirs", .required = false},
    {.name = "old_stps", .required = false},
    {.name = "ro", .required = false},
};

}  // namespace

void LBFGSOptions::validate() const {
  check_not_negative("LBFGS", "lr", lr);
  check_not_negative("LBFGS", "tolerance_grad", tolerance_grad);
  check_not_negative("LBFGS", "tolerance_change", tolerance_change);
  const auto check_count = [](const char* option, std::int64_t count) {
    if (count < 1) fail("LBFGS: {} must be at least 1, got {}", option, count);
  };
  check_count("max_iter", max_iter);
  if (max_iter > most_iterations) fail("LBFGS: max_iter must be at most {}, got {}", most_iterations, max_iter);
  check_count("max_eval", max_eval.value_or(1));
  check_count("history_size", history_size);
}

Tensor LBFGS::move(const std::vector<Tensor>& params, Closure closure, State& state, const LBFGSOptions& o) {
  Objective objective(params, closure);
  const Evaluation first = objective.here();
  auto iterations = static_cast<std::int64_t>(state.number("n_iter", 0));
  if (checked_slope(first.loss, first.gradient, first.result) > o.tolerance_grad) {
    Memory memory = Memory::read(state);
    iterations = Step(objective, memory, iterations, o).run(first);
    memory.write(state);
  }
  state.number("n_iter", 0) = static_cast<double>(iterations);
  state.number("func_evals", 0) += static_cast<double>(objective.evaluations());
  return first.result;
}

std::span<const Optimizer::StateName> LBFGS::state_names() const { return lbfgs_state; }

void LBFGS::check_joint_state(const State& state, std::int64_t size, Dtype dtype) const {
  for (const char* name : {"n_iter", "func_evals"}) {
    const double count = state.value(name).item();
    if (!(count >= 0 && count <= most_iterations)) fail("load_state_dict: state.0.{} is no count: {}", name, count);
  }
  if (!state.has("d")) return;
  for (const StateName& known : lbfgs_state) {
    if (!state.has(known.name)) fail("load_state_dict: missing key: state.0.{}", known.name);
  }
  const auto check = [&](const char* name, const Shape& shape, Dtype wanted) {
    const Tensor value = state.value(name);
    if (value.shape() != shape || value.dtype() != wanted) {
      fail("load_state_dict: state.0.{} is {} {}, LBFGS has {} {} there", name, value.dtype(), value.shape(), wanted,
           shape);
    }
  };
  const std::int64_t count = state.value("ro").numel();
  check("ro", {count}, float64);
  for (const char* name : {"d", "prev_flat_grad"}) check(name, {size}, dtype);
  for (const char* name : {"old_dirs", "old_stps"}) check(name, {count, size}, dtype);
}

}  // namespace gradus::optim
