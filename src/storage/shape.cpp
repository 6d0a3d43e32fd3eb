#include "gradus/shape.hpp"

#include "storage/format.hpp"

namespace gradus {

Shape::Shape(std::span<const std::int64_t> sizes) : count_(static_cast<std::int64_t>(sizes.size())) {
  if (count_ > max_dims) fail("shape: at most {} dims are supported, got {}", max_dims, count_);
  std::copy(sizes.begin(), sizes.end(), sizes_.begin());
}

void Shape::push_back(std::int64_t size) { insert(count_, size); }

void Shape::insert(std::int64_t position, std::int64_t size) {
  if (count_ == max_dims) fail("shape: at most {} dims are supported, got {}", max_dims, count_ + 1);
  for (std::int64_t i = count_; i > position; --i) (*this)[i] = (*this)[i - 1];
  (*this)[position] = size;
  ++count_;
}

void Shape::erase(std::int64_t position) {
  for (std::int64_t i = position; i + 1 < count_; ++i) (*this)[i] = (*this)[i + 1];
  --count_;
}

std::string to_string(const Shape& shape) {
  std::string text = "(";
  for (std::int64_t i = 0; i < shape.size(); ++i) {
    if (i > 0) text += ", ";
    text += std::to_string(shape[i]);
  }
  return text + (shape.size() == 1 ? ",)" : ")");
}

Shape contiguous_strides(const Shape& shape) {
  Shape strides = shape;
  std::int64_t step = 1;
  for (std::int64_t i = shape.size(); i-- > 0;) {
    strides[i] = step;
    step *= std::max<std::int64_t>(shape[i], 1);
  }
  return strides;
}

Shape unravel_index(std::int64_t flat, const Shape& shape) {
  Shape index = shape;
  for (std::int64_t i = shape.size(); i-- > 0; flat /= shape[i]) index[i] = flat % shape[i];
  return index;
}

Shape broadcast_shapes(const char* op, const Shape& a, const Shape& b) {
  const Shape& longer = a.size() >= b.size() ? a : b;
  const Shape& shorter = a.size() >= b.size() ? b : a;
  Shape result = longer;
  const std::int64_t offset = longer.size() - shorter.size();
  for (std::int64_t i = 0; i < shorter.size(); ++i) {
    const std::int64_t x = longer[offset + i];
    const std::int64_t y = shorter[i];
    if (x != y && x != 1 && y != 1) fail("{}: shapes do not broadcast: {} and {}", op, a, b);
    result[offset + i] = x == 1 ? y : x;
  }
  return result;
}

}  // namespace gradus
