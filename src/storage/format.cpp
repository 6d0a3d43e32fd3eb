#include "storage/format.hpp"

#include <fmt/format.h>

#include <algorithm>
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

void fail_formatted(fmt::string_view rule, fmt::format_args args) { throw Error(fmt::vformat(rule, args)); }

}  // namespace gradus
