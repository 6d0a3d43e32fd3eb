#include "gradus/words.hpp"

#include <algorithm>
#include <charconv>
#include <numeric>

#include <gradus/error.hpp>

namespace gradus::tool {
namespace {

// How many letters have to be changed, put in or left out. [Levenshtein, Soviet Physics Doklady 1966]
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
}

template <class Number>
bool reads(const std::string& text, Number& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

// What a lead byte says: how many bytes, and the smallest code point that takes so many.
struct Lead {
  std::size_t bytes;
  std::uint32_t bits, least;
};

Lead lead_of(std::uint32_t byte) {
  if (byte < 0x80) return {1, byte, 0};
  if ((byte & 0xE0U) == 0xC0) return {2, byte & 0x1FU, 0x80};
  if ((byte & 0xF0U) == 0xE0) return {3, byte & 0x0FU, 0x800};
  if ((byte & 0xF8U) == 0xF0) return {4, byte & 0x07U, 0x10000};
  return {0, 0, 0};
}

}  // namespace

std::vector<std::string> split(std::string_view text, char delimiter) {
  std::vector<std::string> parts;
  for (std::size_t start = 0; start <= text.size();) {
    const std::size_t end = std::min(text.find(delimiter, start), text.size());
    parts.emplace_back(text.substr(start, end - start));
    start = end + 1;
  }
  return parts;
}

std::string join(const std::vector<std::string>& words, std::string_view between) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i) text.append(i == 0 ? "" : between).append(words[i]);
  return text;
}

double to_number(const std::string& what, const std::string& text) {
  double value = 0;
  if (!reads(text, value)) throw Error(what + ": not a number: '" + printable(text) + "'");
  return value;
}

std::int64_t to_whole_number(const std::string& what, const std::string& text) {
  std::int64_t value = 0;
  if (!reads(text, value)) throw Error(what + ": not a whole number: '" + printable(text) + "'");
  return value;
}

void refuse_unknown(const std::string& what, const std::string& name, std::vector<std::string> known) {
  std::ranges::stable_sort(known, {}, [&](const std::string& one) { return distance(name, one); });
  const std::size_t colon = what.rfind(": ");
  const std::string op = colon == std::string::npos ? "" : what.substr(0, colon + 2);
  const std::string kind = colon == std::string::npos ? what : what.substr(colon + 2);
  throw Error(op + "there is no " + kind + " '" + printable(name) + "'; known are " + join(known));
}

void check_known(const std::string& what, const std::string& name, const std::vector<std::string>& known) {
  if (std::ranges::find(known, name) == known.end()) refuse_unknown(what, name, known);
}

std::string printable(std::string_view text) {
  std::string safe(text);
  std::ranges::replace_if(
      safe, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }, '?');
  return safe;
}

std::size_t utf8_length(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    Lead lead = lead_of(static_cast<unsigned char>(text[at]));
    if (lead.bytes == 0 || at + lead.bytes > text.size()) return at;
    for (std::size_t i = 1; i < lead.bytes; ++i) {
      const std::uint32_t byte = static_cast<unsigned char>(text[at + i]);
      if ((byte & 0xC0U) != 0x80) return at;
      lead.bits = lead.bits << 6U | (byte & 0x3FU);
    }
    const bool surrogate = lead.bits >= 0xD800 && lead.bits <= 0xDFFF;
    if (lead.bits < lead.least || lead.bits > 0x10FFFF || surrogate) return at;
    at += lead.bytes;
  }
  return text.size();
}

}  // namespace gradus::tool
