// The doctor on curves: planted illnesses and healthy runs, each with noise of several seeds.
#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <vector>

#include "gradus/random.hpp"
#include "gradus/train.hpp"
#include "messages.hpp"

using namespace gradus;
using train::Diagnosis, train::History, train::Illness;

namespace {

// The value at epoch i of n, from 0; noise is uniform on [-1, 1).
using Shape2 = std::function<double(double i, double n, double noise)>;

struct Case {
  const char* name;
  int epochs;
  Shape2 loss, valid;
  std::vector<Illness> expected;  // none: healthy
};

double decay(double i, double n, double speed = 5) { return std::exp(-speed * i / n); }

const std::vector<Case>& cases() {
  using enum Illness;
  static const std::vector<Case> table{
      {"exponential decay", 30, [](double i, double n, double) { return 2.3 * decay(i, n); }, {}, {}},
      {"decay with noise and validation",
       40,
       [](double i, double n, double e) { return 0.2 + 2 * decay(i, n, 8) + 0.02 * e; },
       [](double i, double n, double e) { return 0.3 + 2 * decay(i, n, 8) + 0.02 * e; },
       {}},
      {"a short run", 6, [](double i, double n, double) { return 2.3 * decay(i, n, 6) + 0.1; }, {}, {}},
      {"noise at the end of a good run",
       60,
       [](double i, double n, double e) { return 0.05 + 2.3 * decay(i, n, 20) * (1 + 0.1 * e) + 0.02 * e; },
       {},
       {}},
      {"validation above training, but flat",
       50,
       [](double i, double n, double) { return 0.05 + 2.3 * decay(i, n, 10); },
       [](double i, double n, double e) { return 0.5 + 1.8 * decay(i, n, 12) + 0.01 * e; },
       {}},
      {"one spike",
       40,
       [](double i, double n, double) { return 0.1 + 2 * decay(i, n, 8) + (i == 25 ? 0.5 : 0); },
       {},
       {}},
      {"three epochs say nothing", 3, [](double i, double, double) { return 2.3 - 0.1 * i; }, {}, {}},

      {"NaN", 10, [](double i, double, double) { return i < 6 ? 1 / (1 + i) : std::nan(""); }, {}, {nonfinite}},
      {"rise after a fall",
       30,
       [](double i, double n, double e) { return std::abs(i / n - 0.3) * 3 + 0.05 * e; },
       {},
       {divergence}},
      {"rise from the start",
       20,
       [](double i, double, double e) { return 2.3 * std::exp(0.2 * i) + 0.1 * e; },
       {},
       {divergence}},
      {"up and down",
       30,
       [](double i, double, double e) { return 1 + (static_cast<int>(i) % 2 ? 0.5 : -0.5) + 0.1 * e + (i == 0); },
       {},
       {oscillation, learning_rate_high}},
      {"never learns", 30, [](double, double, double e) { return 2.303 + 0.005 * e; }, {}, {plateau}},
      {"stands still in the midst",
       50,
       [](double i, double, double) { return 1 + decay(i, 5, 5) + 0.9 / (1 + std::exp((i - 40) / 1.5)); },
       {},
       {plateau}},
      {"validation rises",
       40,
       [](double i, double n, double) { return 2 * decay(i, n, 10); },
       [](double i, double n, double e) { return 0.5 + 1.5 * decay(i, n, 10) + 0.5 * i / n + 0.02 * e; },
       {overfitting}},
      {"straight down, hardly",
       20,
       [](double i, double, double e) { return 2.3 - 0.02 * i + 0.002 * e; },
       {},
       {learning_rate_low}},
      {"still falling", 20, [](double i, double, double e) { return 2.3 - 0.1 * i + 0.01 * e; }, {}, {stopped_early}},
  };
  return table;
}

History history_of(const Case& c, std::uint64_t seed) {
  Generator generator(seed);
  const Tensor noise = rand({c.epochs, 2}, {.dtype = float64, .generator = &generator});
  History history;
  for (int i = 0; i < c.epochs; ++i) {
    const auto e = [&](std::int64_t k) { return 2 * noise[i][k].item() - 1; };
    history.append({{"epoch", i + 1}, {"loss", c.loss(i, c.epochs, e(0))}});
  }
  if (!c.valid) return history;
  History both;
  for (int i = 0; i < c.epochs; ++i) {
    const double e = 2 * noise[i][1].item() - 1;
    both.append({{"epoch", i + 1},
                 {"loss", history.values("loss")[static_cast<std::size_t>(i)]},
                 {"valid_loss", c.valid(i, c.epochs, e)}});
  }
  return both;
}

}  // namespace

TEST_CASE("the doctor reads illnesses off curves, and none off healthy ones") {
  for (const Case& c : cases()) {
    for (std::uint64_t seed = 0; seed < 5; ++seed) {
      CAPTURE(c.name);
      CAPTURE(seed);
      const Diagnosis diagnosis = train::diagnose(history_of(c, seed));
      CAPTURE(diagnosis.to_string());
      CHECK(diagnosis.healthy() == c.expected.empty());
      for (const Illness illness : c.expected) CHECK(diagnosis.has(illness));
    }
  }
}

TEST_CASE("the doctor reads gradient norms and update ratios that the monitor wrote") {
  History history;
  for (int i = 0; i < 8; ++i) history.append({{"loss", std::exp(-i)}, {"grad_norm", 5e4}, {"update_ratio", 0.3}});
  const Diagnosis diagnosis = train::diagnose(history);
  CHECK(diagnosis.has(Illness::exploding));
  CHECK(diagnosis.has(Illness::learning_rate_high));
  CHECK(diagnosis.findings.size() == 2);
}

TEST_CASE("a diagnosis is told in words and in JSON, the worst first") {
  History history;
  for (int i = 0; i < 8; ++i) history.append({{"loss", i < 4 ? 1.0 : std::nan("")}, {"update_ratio", 1e-7}});
  const Diagnosis diagnosis = train::diagnose(history);
  REQUIRE(diagnosis.findings.size() == 2);
  CHECK(diagnosis.findings[0].illness == Illness::nonfinite);
  CHECK(train::severity_of(diagnosis.findings[0].illness) == train::Severity::fatal);
  const std::string text = diagnosis.to_string(), json = diagnosis.to_json();
  CHECK(text.find("fatal    non-finite numbers at loss\n         The loss is nan at epoch 5 of 8.\n         Try: ") !=
        std::string::npos);
  CHECK(json.find("\"illness\": \"learning rate too low\"") != std::string::npos);
  CHECK(json.find("\"value\": \"nan\"") != std::string::npos);
  CHECK(train::diagnose(History{history}).to_string() == text);
  CHECK(Diagnosis{}.to_string() == "healthy: nothing to find fault with\n");
  CHECK(tests::message_of([] { train::diagnose(History()); }) == "History: there is no column named \"loss\"");
}
