#include "gradus/data/digits.hpp"

#include "data/digits_table.hpp"
#include "gradus/factory.hpp"

namespace gradus::data {
namespace {

float pixel(char symbol) {
  if (symbol == '.') return 0;
  const int count = symbol <= '9' ? symbol - '0' : symbol - 'A' + 10;
  return static_cast<float>(count) / 16;
}

}  // namespace

Dataset digits() {
  Tensor x = empty({digits_count, digits_pixels});
  Tensor y = empty({digits_count}, {.dtype = int64});
  float* next_pixel = x.data<float>().data();
  std::int64_t* next_label = y.data<std::int64_t>().data();
  for (const Digit& digit : digits_table) {
    for (std::int64_t i = 0; i < digits_pixels; ++i) *next_pixel++ = pixel(digit.pixels[i]);
    *next_label++ = digit.label;
  }
  return {x, y};
}

}  // namespace gradus::data
