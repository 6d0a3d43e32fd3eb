#include "train/landscape/packing.hpp"

#include <zlib.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "gradus/error.hpp"

namespace gradus::train {
namespace {

constexpr double smallest = 1e-10;

std::string deflated(const std::string& bytes) {
  uLongf size = compressBound(static_cast<uLong>(bytes.size()));
  std::string result(size, '\0');
  const int status = compress2(reinterpret_cast<Bytef*>(result.data()), &size,
                               reinterpret_cast<const Bytef*>(bytes.data()), static_cast<uLong>(bytes.size()), 9);
  if (status != Z_OK) throw Error("landscape_page: zlib could not compress the paths");
  result.resize(size);
  return result;
}

}  // namespace

std::int16_t log_code(double value) {
  const double code = codes_per_decade * std::log10(1 + std::abs(value) / smallest);
  const double limit = std::numeric_limits<std::int16_t>::max();
  return static_cast<std::int16_t>(std::copysign(std::min(std::round(code), limit), value));
}

void append_curve(std::vector<std::uint16_t>& words, const std::vector<std::int16_t>& codes) {
  // Modulo 2^16, so that nothing overflows and the sums come out right again.
  std::uint16_t before = 0, slope = 0;
  for (const std::int16_t code : codes) {
    const auto now = static_cast<std::uint16_t>(code);
    const auto change = static_cast<std::uint16_t>(now - before);
    words.push_back(static_cast<std::uint16_t>(change - slope));
    before = now;
    slope = change;
  }
}

std::string packed(const std::vector<std::uint16_t>& words) {
  std::string bytes(2 * words.size(), '\0');
  for (std::size_t i = 0; i < words.size(); ++i) {
    bytes[i] = static_cast<char>(words[i] & 0xff);
    bytes[words.size() + i] = static_cast<char>(words[i] >> 8);
  }
  return base64(deflated(bytes));
}

std::string base64(std::string_view bytes) {
  constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string result;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t j = i; j < i + 3; ++j) {
      group = group << 8 | (j < bytes.size() ? static_cast<unsigned char>(bytes[j]) : 0u);
    }
    for (std::size_t j = 0; j < 4; ++j) {
      result += i + j <= bytes.size() ? digits[group >> (18 - 6 * j) & 63] : '=';
    }
  }
  return result;
}

}  // namespace gradus::train
