#pragma once

#include <cstdint>
#include <list>
#include <string>
#include <string_view>
#include <utility>

#include "gradus/tensor.hpp"

namespace gradus::optim {

// What a rule keeps about one parameter from step to step, by names of its own other than "step".
class State {
 public:
  // The number of this parameter's current update: 1 at the first one.
  std::int64_t step() const { return step_; }

  // The tensor of this name: at first full of `initial`, with the shape and dtype of `like`, then the one kept. It
  // stays where it is. Throws if the kept one is not like `like`.
  Tensor& tensor(std::string_view name, const Tensor& like, double initial = 0);
  // The same with a shape and dtype of its own.
  Tensor& tensor(std::string_view name, const Shape& shape, Dtype dtype, double initial = 0);
  // The number of this name, `initial` at first; kept as a float64 tensor of shape ().
  double& number(std::string_view name, double initial);
  // The number of this name, or `otherwise`: nothing is made.
  double number_or(std::string_view name, double otherwise) const;
  bool has(std::string_view name) const { return find(name) != nullptr; }
  // A tensor of any shape and dtype: the one kept, undefined if there is none, and another in its place.
  Tensor value(std::string_view name) const;
  void set_value(std::string_view name, const Tensor& value);

 private:
  friend class Optimizer;
  friend class Rewind;

  struct Entry {
    std::string name;
    Tensor value;
  };

  const Tensor* find(std::string_view name) const;
  Tensor& add(std::string_view name, const Tensor& value);
  Tensor* find(std::string_view name) { return const_cast<Tensor*>(std::as_const(*this).find(name)); }

  std::int64_t step_ = 0;
  std::list<Entry> entries_;  // two or three: looking through them is quicker than a map
};

}  // namespace gradus::optim
