// What is checked: a function of variables whose elements can be moved, and what one run of it gives.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "autograd/observer.hpp"
#include "gradus/random.hpp"
#include "gradus/tensor.hpp"

namespace gradus::check {

// The way taken through one op with branches.
struct Branch {
  const char* op;
  std::uint64_t hash;
  friend bool operator==(const Branch&, const Branch&) = default;
};
using Branches = std::vector<Branch>;

// The first op that went another way; empty if none did.
std::string first_difference(const Branches& a, const Branches& b);

// The values of all outputs, one after the other, and the branches taken on the way.
struct Sample {
  std::vector<double> values;
  Branches branches;
  bool finite = true;
};

// Puts generators back to where they were, when constructed and each time it is asked to.
class Replay {
 public:
  explicit Replay(const std::vector<Generator*>& generators);
  ~Replay() { rewind(); }
  Replay(const Replay&) = delete;
  Replay& operator=(const Replay&) = delete;
  void rewind() const;

 private:
  std::vector<std::pair<Generator*, Generator>> states_;
};

class Subject {
 public:
  using Run = std::function<std::vector<Tensor>()>;

  // `run` reads the variables, which are leaves that require a gradient. Each run starts with the same random numbers.
  Subject(Run run, std::vector<Tensor> variables, std::shared_ptr<const Replay> replay);

  const std::vector<Tensor>& variables() const { return variables_; }
  const std::shared_ptr<const Replay>& replay() const { return replay_; }

  // The outputs, with their history. Only floating ones are kept.
  std::vector<Tensor> run() const;
  Sample sample() const;

 private:
  Run run_;
  std::vector<Tensor> variables_;
  std::shared_ptr<const Replay> replay_;
};

// The function whose values are the gradients of a subject's outputs: by its variables, and starting from cotangents
// that are variables themselves. Its derivatives are the second ones.
Subject gradient_of(const Subject& subject, std::uint64_t seed);

// All elements in row-major order.
std::vector<double> values_of(const Tensor& tensor);
void write_values(Tensor tensor, const std::vector<double>& values);

// A copy of the values with the same strides: ops may take other ways for other layouts.
Tensor copy_with_layout(const Tensor& tensor, Dtype dtype);
// The same values, not contiguous; undefined if there is no such layout (one element).
Tensor copy_scattered(const Tensor& tensor);

// Numbers for cotangents and directions: standard normal, but for values near 0.
std::vector<double> random_weights(std::int64_t count, Generator& generator);
Tensor from_values(const std::vector<double>& values, const Shape& shape, Dtype dtype);

}  // namespace gradus::check
