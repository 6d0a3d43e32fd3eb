// The trial: every planted error must FAIL and its culprits be named, and no right function may FAIL.
#include <doctest/doctest.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>

#include <gradus/autograd.hpp>
#include <gradus/factory.hpp>
#include <gradus/random.hpp>

#include "gradcheck/trial.hpp"

using namespace gradus;
using namespace gradus::test;

namespace {

struct Counts {
  int pass = 0, inconclusive = 0, fail = 0, named = 0;

  void add(Verdict verdict) { ++(verdict == Verdict::pass ? pass : verdict == Verdict::fail ? fail : inconclusive); }
  int all() const { return pass + inconclusive + fail; }
};

// Runs a row's check; an exception is an answer, too, and a wrong one.
template <class Row>
GradcheckReport answer(const Row& row) {
  const auto start = std::chrono::steady_clock::now();
  GradcheckReport report;
  try {
    report = row.check();
  } catch (const std::exception& error) {
    FAIL_CHECK("gradcheck threw: ", error.what());
  }
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (std::getenv("GRADUS_TRIAL_TIMES") != nullptr) std::printf("%8.1f ms  %s\n", 1e3 * seconds, row.name.c_str());
  return report;
}

}  // namespace

TEST_CASE("every planted error fails and its culprits are named, and no right function fails") {
  Counts wrong, right;
  for (const Planted& row : planted_errors()) {
    CAPTURE(row.name);
    const GradcheckReport report = answer(row);
    CAPTURE(report.to_string(false));
    wrong.add(report.verdict);
    wrong.named += report.culprits() == row.culprits ? 1 : 0;
    CHECK(report.failed());
    CHECK(report.culprits() == row.culprits);
  }
  std::string undecided;
  for (const Hard& row : hard_functions()) {
    CAPTURE(row.name);
    const GradcheckReport report = answer(row);
    CAPTURE(report.to_string(false));
    right.add(report.verdict);
    CHECK_FALSE(report.failed());
    if (report.verdict == Verdict::inconclusive) undecided += "\n  " + row.name + ": " + report.reason;
  }
  MESSAGE("verdicts         PASS  INCONCLUSIVE  FAIL\n  planted errors  ", wrong.pass, "     ", wrong.inconclusive,
          "             ", wrong.fail, "     culprits named: ", wrong.named, " of ", wrong.all(),
          "\n  right functions ", right.pass, "    ", right.inconclusive, "             ", right.fail, undecided);
  CHECK(wrong.all() >= 60);
  CHECK(right.all() >= 60);
  CHECK(20 * right.inconclusive <= right.all());
}
