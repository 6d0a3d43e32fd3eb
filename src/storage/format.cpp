// fmt is compiled here, for all files: they see only its declarations, and the library needs no libfmt.
#define FMT_HEADER_ONLY
#include <fmt/format.h>

#include "storage/format.hpp"

#include <algorithm>
#include <iterator>
#include <string>
#include <string_view>

fmt::appender fmt::formatter<gradus::Dtype>::format(gradus::Dtype dtype, fmt::format_context& context) const {
  const std::string_view text = gradus::to_string(dtype);
  return std::copy(text.begin(), text.end(), context.out());
}

fmt::appender fmt::formatter<gradus::Shape>::format(const gradus::Shape& shape, fmt::format_context& context) const {
  const std::string text = gradus::to_string(shape);
  return std::copy(text.begin(), text.end(), context.out());
}

namespace gradus {

std::string vformatted(fmt::string_view text, fmt::format_args args) { return fmt::vformat(text, args); }

void vappend(std::string& out, fmt::string_view text, fmt::format_args args) {
  fmt::vformat_to(std::back_inserter(out), text, args);
}

std::string comma_separated(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

void fail_formatted(fmt::string_view rule, fmt::format_args args) { throw Error(fmt::vformat(rule, args)); }

}  // namespace gradus
