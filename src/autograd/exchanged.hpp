// Gives a variable another value for a scope.
#pragma once

#include <utility>

namespace gradus {

template <class T>
class Exchanged {
 public:
  Exchanged(T& variable, T value) : variable_(variable), previous_(std::exchange(variable, std::move(value))) {}
  ~Exchanged() { variable_ = std::move(previous_); }
  Exchanged(const Exchanged&) = delete;
  Exchanged& operator=(const Exchanged&) = delete;

 private:
  T& variable_;
  T previous_;
};

}  // namespace gradus
