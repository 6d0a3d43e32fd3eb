// The digits as they are kept in the library.
#pragma once

#include <cstdint>

namespace gradus::data {

inline constexpr std::int64_t digits_count = 1797;
inline constexpr std::int64_t digits_pixels = 64;

struct Digit {
  char pixels[digits_pixels + 1];
  std::int8_t label;
};

extern const Digit digits_table[digits_count];

}  // namespace gradus::data
