// Files that commands write.
#pragma once

#include <string>
#include <string_view>

namespace gradus::tool {

// Writes beside `path`, flushes to the disk, then takes its place. Leaves nothing behind if it fails. Throws naming the
// path.
void write_file(const std::string& path, std::string_view text);
// Nothing is there afterwards. Throws naming it.
void remove_file(const std::string& path);
// A folder that is there afterwards. Throws naming it.
void make_folder(const std::string& path);

}  // namespace gradus::tool
