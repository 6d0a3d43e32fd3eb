// Lists of numbers in the states of metrics and callbacks.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "gradus/factory.hpp"
#include "gradus/tensor.hpp"
#include "storage/format.hpp"

namespace gradus::train {

// One entry of a state as a list of numbers. Throws Error, beginning with `owner`, unless it is there, of the
// right dtype, and has as many entries as asked for (-1: any).
template <class T>
std::vector<T> read_entry(const std::string& owner, const std::map<std::string, Tensor>& state, const std::string& name,
                          std::int64_t count = -1) {
  const auto found = state.find(name);
  if (found == state.end()) fail("{}: its state has no entry {}", owner, name);
  const Tensor& entry = found->second;
  if (entry.dtype() != dtype_of<T> || entry.dim() != 1 || (count >= 0 && entry.numel() != count))
    fail("{}: not its state: {} {} {}", owner, name, entry.dtype(), entry.shape());
  const Tensor values = entry.contiguous();
  return {values.data<T>().begin(), values.data<T>().end()};
}

}  // namespace gradus::train
