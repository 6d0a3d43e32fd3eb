// Who is to blame: each op of a recorded run is cut out of the graph and checked alone.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "gradcheck/check.hpp"

namespace gradus::check {

// An entry of the comparison: a derivative of a sum of outputs along a direction.
struct Entry {
  Direction direction;
  Cotangent cotangent;
};

// An op that sends on another derivative than has arrived at it.
struct Wrong {
  std::uint64_t node;  // its place among all that were recorded
  std::size_t nodes;   // how many these are
  const char* op;      // of an op that a derivative records: the op whose derivative it is
  std::uint32_t input;
  Shape input_shape, output_shape;
  double sent, arrived;
};

// The ops that make an entry wrong in a run of the whole function.
std::vector<Wrong> attribute(const Subject& subject, const Entry& entry);

// The ops on the way to the subject's outputs whose derivatives are wrong, of first or second order: those that are
// wrong although all their inputs are given; if there are none, those that make one of the failed entries wrong.
// `checked` is the subject that the entries belong to: the function itself, or its gradient.
std::vector<GradcheckCulprit> find_culprits(const Subject& subject, const Subject& checked, int order, const Plan& plan,
                                            const GradcheckReport& report);

// An op that writes into one of its inputs without telling the tape; or nothing. The variables are put back.
std::optional<GradcheckCulprit> find_damage(const Subject& subject);

// What the wrong derivative by a variable looks like: "the sign is wrong", "transposed", ...; empty if like nothing
// known.
std::string likely_cause(const Subject& subject, std::size_t variable, std::uint64_t seed);

}  // namespace gradus::check
