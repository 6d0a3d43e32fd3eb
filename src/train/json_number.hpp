// Numbers that JSON cannot write: NaN is null, infinities are strings.
#pragma once

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

namespace gradus::train {

inline nlohmann::ordered_json json_number(double value) {
  if (std::isfinite(value)) return value;
  if (std::isnan(value)) return nullptr;
  return value > 0 ? "inf" : "-inf";
}

// Throws nlohmann's exception if it is anything else.
inline double number_of(const nlohmann::ordered_json& json) {
  if (json.is_null()) return std::numeric_limits<double>::quiet_NaN();
  if (json == "inf") return std::numeric_limits<double>::infinity();
  if (json == "-inf") return -std::numeric_limits<double>::infinity();
  return json.get<double>();
}

}  // namespace gradus::train
