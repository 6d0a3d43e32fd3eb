#include "gradus/data/stored.hpp"

#include <cstdlib>
#include <string_view>

#include "gradus/error.hpp"

namespace gradus::data {
namespace {

// The XDG base directory specification has relative paths ignored.
std::string_view absolute_path_in(const char* variable) {
  const char* value = std::getenv(variable);
  return value != nullptr && value[0] == '/' ? value : "";
}

}  // namespace

std::string stored(const std::string& name) {
  if (const auto home = absolute_path_in("XDG_DATA_HOME"); !home.empty()) return std::string(home) + "/gradus/" + name;
  if (const auto home = absolute_path_in("HOME"); !home.empty())
    return std::string(home) + "/.local/share/gradus/" + name;
  throw Error("stored: neither XDG_DATA_HOME nor HOME is set to an absolute path: data set " + name);
}

}  // namespace gradus::data
