// The kernel of every optimizer, of every instruction set that this processor has, against its formula in long double.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <string>
#include <type_traits>
#include <vector>

#include "kernel_tables.hpp"
#include "kernels/optim.hpp"

using namespace gradus::kernels;

namespace {

using Real = long double;

constexpr int arrays = StateArrays<float>::most;

struct Element {
  Real p;
  Real d;  // the direction: the gradient, or its negative, with weight decay
  Real state[arrays];
};

template <class T>
using Values = std::vector<T>;

template <class T>
Values<T> random_values(std::size_t n, double low, double high, unsigned seed) {
  std::mt19937 generator(seed);
  std::uniform_real_distribution<double> distribution(low, high);
  Values<T> values(n);
  for (T& v : values) v = static_cast<T>(distribution(generator));
  return values;
}

template <class T>
bool close(T value, Real exact) {
  return std::abs(value - exact) <= (std::is_same_v<T, float> ? 2e-6L : 1e-12L) * std::max(1.0L, std::abs(exact));
}

// How many elements of n differ from what `exact` makes of them.
template <class T, class Step, class Exact>
int wrong_elements(const OptimTable<T>& table, std::size_t n, const Step& step, int used, Exact exact) {
  const auto p0 = random_values<T>(n, -1, 1, 15), g = random_values<T>(n, -1, 1, 16);
  Values<T> p = p0, before[arrays], after[arrays];
  StateArrays<T> state;
  for (int k = 0; k < used; ++k) {
    before[k] = after[k] = random_values<T>(n, 0.05, 1, 17 + static_cast<unsigned>(k));
    state.of[k] = after[k].data();
  }
  run_step(table, p.data(), g.data(), state, static_cast<std::int64_t>(n), step);

  int wrong = 0;
  for (std::size_t i = 0; i < n; ++i) {
    Element e{.p = p0[i], .d = (step.direction.maximize ? -1 : 1) * Real(g[i]), .state = {}};
    e.d += step.direction.weight_decay * e.p;
    for (int k = 0; k < used; ++k) e.state[k] = before[k][i];
    exact(e);
    wrong += !close(p[i], e.p);
    for (int k = 0; k < used; ++k) wrong += !close(after[k][i], e.state[k]);
  }
  return wrong;
}

template <class T, class Step, class Exact>
void check_type(const Step& step, int used, Exact exact) {
  int tables = 0;
  for (const std::string isa : gradus::tests::isas) {
    const OptimTable<T>* table = optim_table_for<T>(isa);
    if (table == nullptr) continue;
    ++tables;
    CAPTURE(isa);
    for (std::size_t n : {0, 1, 7, 16, 33, 70}) {
      CAPTURE(n);
      CHECK(wrong_elements(*table, n, step, used, exact) == 0);
    }
  }
  CHECK(tables > 0);
}

// `used` arrays of state; the others are null.
template <class Step, class Exact>
void check(const Step& step, int used, Exact exact) {
  check_type<float>(step, used, exact);
  check_type<double>(step, used, exact);
}

Real average(Real& kept, double beta, Real x) { return kept = beta * kept + (1 - Real(beta)) * x; }

constexpr Direction decayed{.weight_decay = 0.1, .maximize = true};

}  // namespace

TEST_CASE("an SGD step follows its formula") {
  const SgdStep steps[] = {{{}, 0.1, 0, 0, false, false},
                           {{0.01, true}, 0.1, 0, 0, false, false},
                           {{}, 0.1, 0.9, 0, false, true},
                           {{0.01, false}, 0.1, 0.9, 0.5, false, false},
                           {{0.01, false}, 0.1, 0.9, 0, true, false},
                           {{0, true}, 0.1, 0.9, 0, true, true}};
  for (const SgdStep& s : steps) {
    check(s, s.momentum == 0 ? 0 : 1, [&](Element& e) {
      Real d = e.d;
      if (s.momentum != 0) {
        e.state[0] = s.first ? d : s.momentum * e.state[0] + (1 - s.dampening) * d;
        d = s.nesterov ? d + s.momentum * e.state[0] : e.state[0];
      }
      e.p -= s.lr * d;
    });
  }
}

TEST_CASE("an Adam step follows its formula") {
  const AdamStep steps[] = {{{}, 1e-2, 0.9, 0.999, 1e-8, 1, 0.1, 0.001, false},
                            {decayed, 1e-2, 0.9, 0.999, 1e-8, 1, 0.19, 0.002, false},
                            {{}, 1e-2, 0.8, 0.99, 1e-6, 0.99, 0.5, 0.1, false},
                            {decayed, 1e-2, 0.8, 0.7, 1e-6, 0.99, 0.5, 0.1, true}};
  for (const AdamStep& s : steps) {
    check(s, s.amsgrad ? 3 : 2, [&](Element& e) {
      const Real mean = average(e.state[0], s.beta1, e.d) / s.bias_correction1;
      Real square = average(e.state[1], s.beta2, e.d * e.d);
      if (s.amsgrad) square = e.state[2] = std::max(e.state[2], square);
      e.p = s.decay_factor * e.p - s.lr * mean / (std::sqrt(square / s.bias_correction2) + s.eps);
    });
  }
}

TEST_CASE("an RMSprop step follows its formula") {
  const RmspropStep steps[] = {{{}, 0.1, 0.99, 1e-8, 0, false}, {decayed, 0.01, 0.5, 0.1, 0.9, false}};
  for (const RmspropStep& s : steps) {
    check(s, s.momentum == 0 ? 1 : 3, [&](Element& e) {
      const Real d = e.d / (std::sqrt(average(e.state[0], s.alpha, e.d * e.d)) + s.eps);
      e.p -= s.lr * (s.momentum == 0 ? d : e.state[2] = s.momentum * e.state[2] + d);
    });
  }
  // The variance must not cancel here: the arrays are random, their difference may be tiny.
  const RmspropStep centered{decayed, 0.01, 0.9, 0.5, 0.8, true};
  check(centered, 3, [&](Element& e) {
    const Real square = average(e.state[0], centered.alpha, e.d * e.d);
    const Real mean = average(e.state[1], centered.alpha, e.d);
    const Real d = e.d / (std::sqrt(std::max(square - mean * mean, 0.0L)) + centered.eps);
    e.p -= centered.lr * (e.state[2] = centered.momentum * e.state[2] + d);
  });
}

TEST_CASE("an Adagrad step follows its formula") {
  const AdagradStep steps[] = {{{}, 0.1, 1e-10}, {decayed, 0.3, 0.1}};
  for (const AdagradStep& s : steps) {
    check(s, 1, [&](Element& e) {
      e.state[0] += e.d * e.d;
      e.p -= s.rate * e.d / (std::sqrt(e.state[0]) + s.eps);
    });
  }
}

TEST_CASE("a Lion step follows its formula") {
  const LionStep steps[] = {{{}, 0.1, 0.9, 0.99, 1}, {{0, true}, 0.01, 0.5, 0.8, 0.97}};
  for (const LionStep& s : steps) {
    check(s, 1, [&](Element& e) {
      const Real ahead = s.beta1 * e.state[0] + (1 - s.beta1) * e.d;
      e.p = s.decay_factor * e.p - s.lr * (ahead > 0 ? 1 : ahead < 0 ? -1 : 0);
      average(e.state[0], s.beta2, e.d);
    });
  }
}

TEST_CASE("an Adadelta step follows its formula") {
  const AdadeltaStep steps[] = {{{}, 1, 0.9, 1e-6}, {decayed, 0.3, 0.5, 0.1}};
  for (const AdadeltaStep& s : steps) {
    check(s, 2, [&](Element& e) {
      const Real square = average(e.state[0], s.rho, e.d * e.d);
      const Real delta = std::sqrt(e.state[1] + s.eps) / std::sqrt(square + s.eps) * e.d;
      average(e.state[1], s.rho, delta * delta);
      e.p -= s.lr * delta;
    });
  }
}

TEST_CASE("an Adamax step follows its formula") {
  const AdamaxStep steps[] = {{{}, 0.1, 0.9, 0.999, 1e-8}, {decayed, 0.3, 0.5, 0.7, 0.1}};
  for (const AdamaxStep& s : steps) {
    check(s, 2, [&](Element& e) {
      e.state[1] = std::max(s.beta2 * e.state[1], std::abs(e.d) + s.eps);
      e.p -= s.rate * average(e.state[0], s.beta1, e.d) / e.state[1];
    });
  }
}

TEST_CASE("an NAdam step follows its formula") {
  const NadamStep steps[] = {{{}, 0.9, 0.999, 1e-8, 0.01, 0.1, 0.05}, {decayed, 0.5, 0.7, 0.1, 0.3, 0.02, 0.03}};
  for (const NadamStep& s : steps) {
    check(s, 2, [&](Element& e) {
      const Real mean = average(e.state[0], s.beta1, e.d);
      const Real square = average(e.state[1], s.beta2, e.d * e.d) / s.bias_correction2;
      e.p -= (s.gradient_rate * e.d + s.mean_rate * mean) / (std::sqrt(square) + s.eps);
    });
  }
}

TEST_CASE("an RAdam step follows its formula") {
  const RadamStep steps[] = {{{}, 0.1, 0.9, 0.999, 1e-8, false}, {decayed, 0.2, 0.5, 0.7, 0.1, true}};
  for (const RadamStep& s : steps) {
    check(s, 2, [&](Element& e) {
      const Real mean = average(e.state[0], s.beta1, e.d), square = average(e.state[1], s.beta2, e.d * e.d);
      e.p -= s.rate * (s.adaptive ? mean / (std::sqrt(square) + s.eps) : mean);
    });
  }
}

TEST_CASE("an Rprop step follows its formula") {
  const RpropStep steps[] = {{{}, 0.5, 1.2, 1e-6, 50}, {decayed, 0.3, 1.5, 0.1, 0.6}};
  for (const RpropStep& s : steps) {
    check(s, 2, [&](Element& e) {
      const Real agreement = e.d * e.state[0];
      const Real factor = agreement > 0 ? s.eta_plus : agreement < 0 ? s.eta_minus : 1;
      const Real size = e.state[1] = std::clamp<Real>(e.state[1] * factor, s.smallest, s.largest);
      e.state[0] = agreement < 0 ? 0 : e.d;
      e.p -= size * (e.state[0] > 0 ? 1 : e.state[0] < 0 ? -1 : 0);
    });
  }
}

TEST_CASE("an Rprop step takes a product that is not positive for one without agreement") {
  check(RpropStep{{}, 0.5, 1.2, 0, 50}, 2, [](Element& e) {
    const bool flips = e.d < 0;  // all that the state holds is positive
    e.state[1] *= flips ? 0.5L : e.d > 0 ? 1.2L : 1;
    e.state[0] = flips ? 0 : e.d;
    e.p -= flips ? 0 : e.state[1];
  });
}

TEST_CASE("an ASGD step follows its formula") {
  const AsgdStep steps[] = {{{}, 0.1, 1, 1}, {decayed, 0.2, 0.95, 0.25}};
  for (const AsgdStep& s : steps) {
    check(s, 1, [&](Element& e) {
      e.p = s.decay_factor * e.p - s.eta * e.d;
      e.state[0] += s.mu * (e.p - e.state[0]);
    });
  }
}

TEST_CASE("a schedule-free step follows its formula") {
  const ScheduleFreeStep steps[] = {{{}, 0.1, 0, 0.25, 0.03, false, 0, 0, 1},
                                    {{0, true}, 0.2, 0.1, 1, 0.2, false, 0, 0, 1},
                                    {{}, 0.1, 0, 0.25, 0.03, true, 0.9, 1e-8, 0.1},
                                    {{0, true}, 0.2, 0.3, 0.5, 0.1, true, 0.7, 0.1, 0.3}};
  for (const ScheduleFreeStep& s : steps) {
    check(s, s.adaptive ? 2 : 1, [&](Element& e) {
      Real d = e.d;
      if (s.adaptive) d /= std::sqrt(average(e.state[1], s.beta2, d * d) / s.bias_correction2) + s.eps;
      d += s.decay * e.p;
      e.p += s.average_weight * (e.state[0] - e.p) - s.y_rate * d;
      e.state[0] -= s.lr * d;
    });
  }
}
