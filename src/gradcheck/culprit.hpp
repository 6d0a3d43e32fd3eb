// Who is to blame: each op of a recorded run is cut out of the graph and checked alone.
#pragma once

#include <string>
#include <vector>

#include "gradcheck/check.hpp"

namespace gradus::check {

// The ops on the way to the subject's outputs whose derivatives are wrong although all their inputs are given: of first
// or second order.
std::vector<GradcheckCulprit> find_culprits(const Subject& subject, int order, const Plan& plan);

// What the wrong derivative by a variable looks like: "the sign is wrong", "transposed", ...; empty if like nothing
// known.
std::string likely_cause(const Subject& subject, std::size_t variable, std::uint64_t seed);

}  // namespace gradus::check
