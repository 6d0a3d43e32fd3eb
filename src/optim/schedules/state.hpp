// Reads the state of a schedule: every key is there once, of the right kind, and no other.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "gradus/tensor.hpp"

namespace gradus::optim {

class StateReader {
 public:
  using StateDict = std::map<std::string, Tensor>;

  StateReader(const char* name, const StateDict& state) : name_(name), unread_(state) {}

  std::int64_t count(const std::string& key);  // an integer of at least 0
  double number(const std::string& key);
  std::vector<double> numbers(const std::string& key, std::int64_t size);
  std::vector<double> first_numbers(const std::string& key, std::int64_t most);  // from 1 to `most` of them
  void finish() const;                                                           // throws if a key has not been read

 private:
  Tensor take(const std::string& key, Dtype dtype, const Shape& shape);

  const char* name_;
  StateDict unread_;
};

}  // namespace gradus::optim
