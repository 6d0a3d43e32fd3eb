#include "optim/schedules/state.hpp"

#include <algorithm>

#include "storage/format.hpp"

namespace gradus::optim {

Tensor StateReader::take(const std::string& key, Dtype dtype, const Shape& shape) {
  auto node = unread_.extract(key);
  if (node.empty()) fail("{}: load_state_dict: missing key: {}", name_, key);
  const Tensor& value = node.mapped();
  if (!value.defined()) fail("{}: load_state_dict: {} is undefined", name_, key);
  if (value.dtype() != dtype || value.shape() != shape) {
    fail("{}: load_state_dict: {} must be {} {}, got {} {}", name_, key, dtype, shape, value.dtype(), value.shape());
  }
  return value.detach().contiguous();
}

std::int64_t StateReader::count(const std::string& key) {
  const auto value = take(key, int64, {}).item<std::int64_t>();
  if (value < 0) fail("{}: load_state_dict: {} must be at least 0, got {}", name_, key, value);
  // Schedules reckon with it as a double.
  if (value > std::int64_t{1} << 53) fail("{}: load_state_dict: {} must be at most 2^53, got {}", name_, key, value);
  return value;
}

double StateReader::number(const std::string& key) { return take(key, float64, {}).item(); }

std::vector<double> StateReader::numbers(const std::string& key, std::int64_t size) {
  const Tensor value = take(key, float64, {size});
  const auto data = value.data<double>();
  return {data.begin(), data.end()};
}

std::vector<double> StateReader::first_numbers(const std::string& key, std::int64_t most) {
  const auto found = unread_.find(key);
  const bool is_list = found != unread_.end() && found->second.defined() && found->second.dim() == 1;
  return numbers(key, is_list && found->second.numel() > 0 ? std::min(found->second.numel(), most) : most);
}

void StateReader::finish() const {
  if (!unread_.empty()) fail("{}: load_state_dict: unexpected key: {}", name_, unread_.begin()->first);
}

}  // namespace gradus::optim
