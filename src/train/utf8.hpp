// Which texts JSON, XML and safetensors can hold as they are.
#pragma once

#include <string>
#include <nlohmann/json.hpp>

namespace gradus::train {

inline bool is_utf8(const std::string& text) try {
  return !nlohmann::json(text).dump().empty();
} catch (const nlohmann::json::type_error&) {
  return false;
}

}  // namespace gradus::train
