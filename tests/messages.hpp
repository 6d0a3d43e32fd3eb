// What errors say.
#pragma once

#include <string>

#include <gradus/error.hpp>

namespace gradus::tests {

// The text of the Error that f throws, or "" if it throws none.
template <class F>
std::string message_of(const F& f) {
  try {
    f();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

inline bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace gradus::tests
