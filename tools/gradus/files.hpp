// Files that commands write.
#pragma once

#include <string>
#include <string_view>

namespace gradus::tool {

// Writes beside `path`, then takes its place. Throws naming the path.
void write_file(const std::string& path, std::string_view text);
// A folder that is there afterwards. Throws naming it.
void make_folder(const std::string& path);

}  // namespace gradus::tool
