// Text files as a whole.
#pragma once

#include <string>

namespace gradus::data {

// Throws Error, beginning with `where`, if the file cannot be read or is not text: if it holds a NUL byte.
std::string read_text_file(const std::string& where, const std::string& path);

}  // namespace gradus::data
