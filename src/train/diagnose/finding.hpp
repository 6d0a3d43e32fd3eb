// How rules write down what they found.
#pragma once

#include <string>
#include <utility>

#include "gradus/train/diagnosis.hpp"

namespace gradus::train::doctor {

// With the advice that fits most cases of this illness, unless a better one is known.
inline void report(Diagnosis& diagnosis, Illness illness, std::string where, double value, double limit,
                   std::string evidence, std::string advice = "") {
  diagnosis.findings.push_back({illness, std::move(where), value, limit, std::move(evidence), std::move(advice)});
}

// Fills in missing advice and puts the worst first; of the same severity, in the order in which rules are asked.
void conclude(Diagnosis& diagnosis);

}  // namespace gradus::train::doctor
