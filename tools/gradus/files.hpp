// Files and folders that commands make room for.
#pragma once

#include <string>

namespace gradus::tool {

// Nothing is there afterwards. Throws naming it.
void remove_file(const std::string& path);
// Throws if the folder in which a file shall be is not there: better before the work than after it.
void check_folder_of(const std::string& path);
// A folder that is there afterwards. Throws naming it.
void make_folder(const std::string& path);

}  // namespace gradus::tool
