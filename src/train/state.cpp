#include "train/state.hpp"

#include "gradus/autograd.hpp"
#include "gradus/ops.hpp"

namespace gradus::train {

StateDict copies(const StateDict& state) {
  const NoGrad guard;
  StateDict result;
  for (const auto& [name, value] : state) result.emplace(name, value.clone());
  return result;
}

void add_part(StateDict& whole, const std::string& prefix, const StateDict& part) {
  for (const auto& [name, value] : part) whole.emplace(prefix + name, value);
}

StateDict take_part(StateDict& whole, const std::string& prefix) {
  StateDict part;
  for (auto it = whole.lower_bound(prefix); it != whole.end() && it->first.starts_with(prefix);) {
    part.emplace(it->first.substr(prefix.size()), it->second);
    it = whole.erase(it);
  }
  return part;
}

}  // namespace gradus::train
