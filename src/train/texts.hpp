// What the state of a run says in words.
#pragma once

#include <cxxabi.h>

#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <typeinfo>

#include "gradus/data/dataset.hpp"
#include "storage/format.hpp"

namespace gradus::train {

using Texts = std::map<std::string, std::string>;

// The name of the class that it is, without that of Gradus's own namespaces.
template <class T>
std::string type_of(const T& object) {
  const char* mangled = typeid(object).name();
  const std::unique_ptr<char, void (*)(void*)> name(abi::__cxa_demangle(mangled, nullptr, nullptr, nullptr), std::free);
  const std::string whole = name ? name.get() : mangled;
  const std::size_t scope = whole.rfind("::", whole.find('<'));
  return whole.starts_with("gradus::") && scope != whole.npos ? whole.substr(scope + 2) : whole;
}

inline std::string text_of(const data::Dataset* set) {
  if (!set) return "none";
  return formatted("{} {}, {} {}", set->x.dtype(), set->x.shape(), set->y.dtype(), set->y.shape());
}

template <class T>
std::string text_of(const std::optional<T>& value) {
  return value ? formatted("{}", *value) : "none";
}

inline const std::string& text(const Texts& texts, const std::string& key) {
  const auto found = texts.find(key);
  if (found == texts.end()) fail("missing text: {}", key);
  return found->second;
}

inline std::uint64_t number(const Texts& texts, const std::string& key) {
  const std::string& digits = text(texts, key);
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || end != digits.data() + digits.size()) fail("{} is not a whole number: {}", key, digits);
  return value;
}

}  // namespace gradus::train
