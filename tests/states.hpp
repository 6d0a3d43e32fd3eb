// State dicts: copies that stay as they are, and comparisons.
#pragma once

#include <map>
#include <string>

#include <gradus/ops.hpp>

namespace gradus::tests {

using StateDict = std::map<std::string, Tensor>;

inline StateDict clone_of(const StateDict& state) {
  StateDict copy;
  for (const auto& [key, value] : state) copy.emplace(key, value.clone());
  return copy;
}

// The same keys, dtypes and values, bit for bit.
inline bool same(const StateDict& a, const StateDict& b) {
  if (a.size() != b.size()) return false;
  for (const auto& [key, value] : a) {
    const auto other = b.find(key);
    if (other == b.end() || other->second.dtype() != value.dtype() || !equal(value, other->second)) return false;
  }
  return true;
}

}  // namespace gradus::tests
