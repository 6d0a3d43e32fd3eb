// Files that are never seen half-written.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace gradus {

// Writes beside `path`, flushes to the disk, then takes the place of what was there: a crash leaves the old file or the
// new one. Throws Error, beginning with `op`, on failure.
void write_atomically(const char* op, const std::string& path, std::string_view content);
// The same with a content in pieces, one after the other.
void write_atomically(const char* op, const std::string& path, std::span<const std::string_view> pieces);

// A new name of a file is on the disk only when its directory is. Not every file system can do that, so it may fail.
void flush_directory_of(const std::string& path);

}  // namespace gradus
