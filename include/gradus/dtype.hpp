// The four element types of a Tensor.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

namespace gradus {

enum class Dtype : std::uint8_t { float32, float64, int64, boolean };

inline constexpr Dtype float32 = Dtype::float32;
inline constexpr Dtype float64 = Dtype::float64;
inline constexpr Dtype int64 = Dtype::int64;
inline constexpr Dtype boolean = Dtype::boolean;

// "float32", "float64", "int64" or "bool".
constexpr std::string_view to_string(Dtype dtype) {
  switch (dtype) {
    case Dtype::float32:
      return "float32";
    case Dtype::float64:
      return "float64";
    case Dtype::int64:
      return "int64";
    case Dtype::boolean:
      return "bool";
  }
  return "invalid dtype";
}

constexpr bool is_floating_point(Dtype dtype) { return dtype == Dtype::float32 || dtype == Dtype::float64; }

// Bytes of one element.
constexpr std::size_t size_of(Dtype dtype) {
  if (dtype == Dtype::boolean) return 1;
  return dtype == Dtype::float32 ? 4 : 8;
}

// The Dtype of a C++ type: dtype_of<float> is float32.
template <class T>
inline constexpr Dtype dtype_of = [] {
  using U = std::remove_cv_t<T>;
  static_assert(std::is_same_v<U, float> || std::is_same_v<U, double> || std::is_same_v<U, std::int64_t> ||
                    std::is_same_v<U, bool>,
                "a tensor holds float, double, int64_t or bool");
  if constexpr (std::is_same_v<U, float>)
    return Dtype::float32;
  else if constexpr (std::is_same_v<U, double>)
    return Dtype::float64;
  else if constexpr (std::is_same_v<U, std::int64_t>)
    return Dtype::int64;
  else
    return Dtype::boolean;
}();

}  // namespace gradus
