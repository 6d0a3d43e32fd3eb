#include "gradus/files.hpp"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <system_error>

#include <gradus/error.hpp>

namespace gradus::tool {

void write_file(const std::string& path, std::string_view text) {
  const std::string beside = path + "." + std::to_string(getpid());
  {
    std::ofstream file(beside, std::ios::binary);
    file.write(text.data(), static_cast<std::streamsize>(text.size()));
    file.close();
    if (!file) throw Error(path + ": cannot be written");
  }
  std::error_code error;
  std::filesystem::rename(beside, path, error);
  if (error) throw Error(path + ": cannot be written: " + error.message());
}

void make_folder(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) throw Error(path + ": cannot be created: " + error.message());
}

}  // namespace gradus::tool
