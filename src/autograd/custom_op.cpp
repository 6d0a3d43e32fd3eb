#include "gradus/custom_op.hpp"

#include <algorithm>

#include "autograd/names.hpp"
#include "autograd/record.hpp"

namespace gradus {

Tensor custom_op(std::string_view name, const Tensor& value, const std::vector<CustomInput>& inputs) {
  const char* const kept_name = interned(name);
  if (!value.defined()) fail("{}: the value of a custom op must be defined", name);
  std::vector<Tensor> tensors;
  tensors.reserve(inputs.size());
  for (const CustomInput& entry : inputs) tensors.push_back(entry.input);
  const Tensor result = as_result(value, tensors);
  if (!is_floating_point(result.dtype())) return result;
  // Only a derivative that reads the output keeps it.
  const bool reads_output = std::ranges::any_of(inputs, [](const auto& entry) { return entry.vjp.reads_output(); });
  if (reads_output) {
    return record_list(kept_name, result, tensors, [&](std::size_t i) {
      return [vjp = inputs[i].vjp](const Tensor& g, const Tensor& y) { return vjp(g, y); };
    });
  }
  return record_list(kept_name, result, tensors,
                     [&](std::size_t i) { return [vjp = inputs[i].vjp](const Tensor& g) { return vjp(g, {}); }; });
}

}  // namespace gradus
