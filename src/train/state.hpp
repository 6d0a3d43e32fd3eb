// States within states: what belongs to one part has its name in front.
#pragma once

#include <map>
#include <string>

#include "gradus/tensor.hpp"

namespace gradus::train {

using StateDict = std::map<std::string, Tensor>;

StateDict copies(const StateDict& state);
// Every key with the prefix in front.
void add_part(StateDict& whole, const std::string& prefix, const StateDict& part);
// Removes the keys that have the prefix, and returns them without it.
StateDict take_part(StateDict& whole, const std::string& prefix);

}  // namespace gradus::train
