// Sizes, strides and lists of dims: up to eight integers, held inline, so that no shape ever touches the heap.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>

namespace gradus {

class Shape {
 public:
  static constexpr std::int64_t max_dims = 8;

  constexpr Shape() = default;
  Shape(std::initializer_list<std::int64_t> sizes) : Shape(std::span(sizes.begin(), sizes.size())) {}
  // Throws Error beyond eight dims.
  explicit Shape(std::span<const std::int64_t> sizes);

  std::int64_t size() const { return count_; }
  bool empty() const { return count_ == 0; }
  std::int64_t operator[](std::int64_t i) const { return sizes_[static_cast<std::size_t>(i)]; }
  std::int64_t& operator[](std::int64_t i) { return sizes_[static_cast<std::size_t>(i)]; }
  const std::int64_t* begin() const { return sizes_.data(); }
  const std::int64_t* end() const { return sizes_.data() + count_; }
  std::int64_t back() const { return (*this)[count_ - 1]; }

  void push_back(std::int64_t size);
  void insert(std::int64_t position, std::int64_t size);
  void erase(std::int64_t position);

  // The product of all sizes: 1 for a 0-d shape.
  std::int64_t numel() const {
    std::int64_t product = 1;
    for (std::int64_t size : *this) product *= size;
    return product;
  }

  friend bool operator==(const Shape& a, const Shape& b) {
    return a.count_ == b.count_ && std::equal(a.begin(), a.end(), b.begin());
  }

 private:
  std::array<std::int64_t, max_dims> sizes_{};
  std::int64_t count_ = 0;
};

// The dims an op works on: `sum(x, 1)`, `sum(x, {0, -1})`; empty means all of them.
class Dims : public Shape {
 public:
  using Shape::Shape;
  Dims() = default;
  Dims(std::int64_t dim) : Shape({dim}) {}
};

// "(2, 3)", "(2,)", "()": as Python writes a tuple.
std::string to_string(const Shape& shape);

// The strides of a dense row-major tensor: (2, 3, 4) -> (12, 4, 1).
Shape contiguous_strides(const Shape& shape);

// Where the element with this row-major number is: 7 in (2, 4) -> (1, 3).
Shape unravel_index(std::int64_t flat, const Shape& shape);

// NumPy's broadcasting rule: sizes match from the right or are 1. Throws Error, naming `op`, when they don't.
Shape broadcast_shapes(const char* op, const Shape& a, const Shape& b);

}  // namespace gradus
