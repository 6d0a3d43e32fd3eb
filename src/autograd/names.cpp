#include "autograd/names.hpp"

#include <mutex>
#include <set>
#include <string>

namespace gradus {

const char* interned(std::string_view name) {
  static std::mutex mutex;
  // Never destroyed: a tape may outlive static objects.
  static auto& names = *new std::set<std::string, std::less<>>;
  const std::scoped_lock lock(mutex);
  const auto known = names.find(name);
  return (known != names.end() ? known : names.emplace(name).first)->c_str();
}

}  // namespace gradus
