// The small tables that the program carries within it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gradus::tool {

std::vector<std::string> bundled_tables();
// The table as CSV; none if there is no such table.
std::optional<std::string_view> bundled_table(std::string_view name);

}  // namespace gradus::tool
