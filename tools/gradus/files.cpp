#include "gradus/files.hpp"

#include <filesystem>
#include <system_error>

#include <gradus/error.hpp>

namespace gradus::tool {

void remove_file(const std::string& path) {
  std::error_code error;
  std::filesystem::remove(path, error);
  if (error) throw Error(path + ": cannot be removed: " + error.message());
}

void check_folder_of(const std::string& path) {
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  std::error_code error;
  if (!folder.empty() && !std::filesystem::is_directory(folder, error))
    throw Error(path + ": cannot be written: there is no folder " + folder.string());
}

void make_folder(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) throw Error(path + ": cannot be created: " + error.message());
}

}  // namespace gradus::tool
