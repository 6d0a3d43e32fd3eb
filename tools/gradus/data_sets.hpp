// The data sets that `gradus data` knows: where each comes from, and how to tell that a file is the right one.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace gradus::tool {

struct DataFile {
  std::string name;
  std::string member;  // its path in the package
  std::int64_t bytes = 0;
  std::string sha256;
};

enum class Registry : std::uint8_t { debian, npm };

struct DataSet {
  std::string name;
  std::string what;
  std::string licence;
  std::string source;  // who made it
  Registry registry = Registry::debian;
  std::string package;
  std::string version;    // npm's; Debian has one at a time
  std::string installed;  // where the package puts the files if it is installed, or ""
  std::vector<DataFile> files;

  std::int64_t bytes() const;
};

const std::vector<DataSet>& data_sets();

// Throws if no data set has this name.
const DataSet& find_data_set(const std::string& name);

}  // namespace gradus::tool
