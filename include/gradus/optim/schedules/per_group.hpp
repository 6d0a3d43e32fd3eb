#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <utility>
#include <vector>

#include "gradus/error.hpp"

namespace gradus::optim {

// One value for all groups of an optimizer, `= 0.1`, or one for each, `= {0.1, 0.01}`.
template <class T>
class PerGroup {
 public:
  template <class U>
  requires std::convertible_to<U, T> PerGroup(U&& value) : values_{static_cast<T>(std::forward<U>(value))} {}
  PerGroup(std::initializer_list<T> values) : values_(values), one_for_all_(false) {}
  PerGroup(std::vector<T> values) : values_(std::move(values)), one_for_all_(false) {}

  const T& operator[](std::size_t group) const {
    if (one_for_all_) return values_.front();
    if (group >= values_.size()) throw Error("schedule: an option has a value for each group, but not for a new one");
    return values_[group];
  }
  bool fits(std::int64_t groups) const { return one_for_all_ || static_cast<std::int64_t>(values_.size()) == groups; }
  const std::vector<T>& values() const { return values_; }

 private:
  std::vector<T> values_;
  bool one_for_all_ = true;
};

}  // namespace gradus::optim
