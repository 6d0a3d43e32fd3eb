#include "data/file.hpp"

#include <cerrno>
#include <cstdio>
#include <memory>
#include <string_view>
#include <system_error>
#include <vector>

#include "storage/format.hpp"

namespace gradus::data {

// Whole files: what doesn't fit into memory as text wouldn't fit as a tensor either.
std::string read_text_file(const std::string& where, const std::string& path) {
  const auto refuse = [&](const char* what) {
    fail("{}: {}: {}", where, what, std::generic_category().message(errno));
  };
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"), &std::fclose);
  if (!file) refuse("cannot be opened");
  std::string text;
  std::vector<char> chunk(std::size_t{1} << 16);
  while (const std::size_t count = std::fread(chunk.data(), 1, chunk.size(), file.get())) {
    const std::string_view piece(chunk.data(), count);
    if (const std::size_t nul = piece.find('\0'); nul != std::string_view::npos)
      fail("{}: is not text: byte {} is NUL", where, text.size() + nul);
    text += piece;
  }
  if (std::ferror(file.get())) refuse("cannot be read");
  return text;
}

}  // namespace gradus::data
