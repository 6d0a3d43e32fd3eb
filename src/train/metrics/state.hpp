// The sums of a metric as tensors, and back.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "gradus/factory.hpp"
#include "gradus/tensor.hpp"
#include "storage/format.hpp"

namespace gradus::train {

using MetricState = std::map<std::string, Tensor>;

// One entry of a state as a list of numbers. Throws Error, beginning with the metric's name, unless it is there, of the
// right dtype, and has as many entries as asked for (-1: any).
template <class T>
std::vector<T> read_sums(const std::string& metric, const MetricState& state, const std::string& name,
                         std::int64_t count = -1) {
  const auto found = state.find(name);
  if (found == state.end()) fail("{}: its state has no entry {}", metric, name);
  const Tensor& sums = found->second;
  if (sums.dtype() != dtype_of<T> || sums.dim() != 1 || (count >= 0 && sums.numel() != count))
    fail("{}: not its state: {} {} {}", metric, name, sums.dtype(), sums.shape());
  const Tensor values = sums.contiguous();
  return {values.data<T>().begin(), values.data<T>().end()};
}

}  // namespace gradus::train
