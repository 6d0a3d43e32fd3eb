// Fast mode: random directions instead of elements.
#pragma once

#include "gradcheck/check.hpp"

namespace gradus::check {

// Compares along random directions, as many as the confidence asks for, and measures the slope of Taylor's remainder.
void check_directions(const Subject& subject, const Sample& base, Recorded& recorded, const Plan& plan,
                      GradcheckReport& report);

// Verdict of one entry, given an estimate; entry.analytic and entry.tolerance are set.
void judge(GradcheckEntry& entry, const Estimate& estimate);
// The same along a line: quickly first, then, if that is no PASS, carefully, and before a FAIL over steps of other
// lengths, too, if it is to be confirmed: once an input is known to be wrong, that is not worth it. `size` is that of
// the analytic derivative.
void judge_on(Line& line, const Cotangent& row, const Sample& base, const Plan& plan, GradcheckEntry& entry,
              double size, bool confirm);
// Adds an entry to an input's report.
void count(GradcheckInput& input, const GradcheckEntry& entry);

}  // namespace gradus::check
