// Texts built by fmt, to which shapes and dtypes format themselves. What fmt needs for that is compiled once, in
// format.cpp: here it only checks that the arguments fit the text. (fmt::format would be compiled in each file anew.)
#pragma once

#include <fmt/core.h>

#include <string>
#include <vector>

#include "gradus/dtype.hpp"
#include "gradus/error.hpp"
#include "gradus/shape.hpp"

// Without format specs: inheriting fmt's own parser makes g++ 12 warn of an overflow that isn't there.
template <>
struct fmt::formatter<gradus::Dtype> {
  constexpr auto parse(fmt::format_parse_context& context) { return context.begin(); }
  fmt::appender format(gradus::Dtype dtype, fmt::format_context& context) const;
};

template <>
struct fmt::formatter<gradus::Shape> {
  constexpr auto parse(fmt::format_parse_context& context) { return context.begin(); }
  fmt::appender format(const gradus::Shape& shape, fmt::format_context& context) const;
};

template <>
struct fmt::formatter<gradus::Dims> : fmt::formatter<gradus::Shape> {};

namespace gradus {

std::string vformatted(fmt::string_view text, fmt::format_args args);
void vappend(std::string& out, fmt::string_view text, fmt::format_args args);

template <class... Args>
std::string formatted(fmt::format_string<Args...> text, Args&&... args) {
  return vformatted(text, fmt::make_format_args(args...));
}

template <class... Args>
void append(std::string& out, fmt::format_string<Args...> text, Args&&... args) {
  vappend(out, text, fmt::make_format_args(args...));
}

// "a, b, c"
std::string comma_separated(const std::vector<std::string>& words);

// Throws Error with that message.
[[noreturn]] void fail_formatted(fmt::string_view rule, fmt::format_args args);

template <class... Args>
[[noreturn]] void fail(fmt::format_string<Args...> rule, Args&&... args) {
  fail_formatted(rule, fmt::make_format_args(args...));
}

}  // namespace gradus
