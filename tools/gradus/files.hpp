// Files and folders that commands make room for.
#pragma once

#include <string>

namespace gradus::tool {

// Nothing is there afterwards. Throws naming it.
void remove_file(const std::string& path);
// A folder that is there afterwards. Throws naming it.
void make_folder(const std::string& path);

}  // namespace gradus::tool
