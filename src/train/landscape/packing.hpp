// Many numbers in a page, in few characters.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gradus::train {

// A sixteen-bit code of a number's sign and logarithm: zero for 0, precise to 0.1 % from 1e-9 to 1e16, which is how
// losses and distances are looked at; 32767 stands for whatever is larger. The page's script has its inverse.
constexpr double codes_per_decade = 1260;
std::int16_t log_code(double value);

// Appends codes as differences of differences: steady decay, a straight line of codes, becomes zeros, which compress.
void append_curve(std::vector<std::uint16_t>& words, const std::vector<std::int16_t>& codes);

// All low bytes, then all high bytes, deflated (RFC 1950), in base64.
std::string packed(const std::vector<std::uint16_t>& words);

std::string base64(std::string_view bytes);

}  // namespace gradus::train
