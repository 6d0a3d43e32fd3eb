#include "storage/atomic_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <system_error>
#include <utility>

#include "gradus/error.hpp"
#include "storage/format.hpp"

namespace gradus {
namespace {

// A file that goes away unless it is kept.
class TemporaryFile {
 public:
  // Beside `path`, by a name that nobody has: a process that died may have left one behind.
  explicit TemporaryFile(const std::string& path) {
    static std::atomic<unsigned> counter = 0;
    do {
      path_ = formatted("{}.{}-{}.tmp", path, getpid(), counter++);
      descriptor_ = open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    } while (descriptor_ < 0 && errno == EEXIST);
  }
  ~TemporaryFile() {
    const bool was_created = descriptor_ >= 0 || closed_;
    if (descriptor_ >= 0) close(descriptor_);
    if (was_created && !kept_) unlink(path_.c_str());
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  bool append(std::string_view content) {
    if (descriptor_ < 0) return false;
    while (!content.empty()) {
      const ssize_t written = write(descriptor_, content.data(), content.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return false;
      content.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
  }

  bool finish() {
    if (fsync(descriptor_) != 0) return false;
    closed_ = true;
    return close(std::exchange(descriptor_, -1)) == 0;
  }

  bool become(const std::string& target) {
    kept_ = std::rename(path_.c_str(), target.c_str()) == 0;
    return kept_;
  }

 private:
  std::string path_;
  int descriptor_ = -1;
  bool closed_ = false;
  bool kept_ = false;
};

}  // namespace

void flush_directory_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  const std::string directory = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const int descriptor = open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;
  fsync(descriptor);
  close(descriptor);
}

void write_atomically(const char* op, const std::string& path, std::string_view content) {
  write_atomically(op, path, {&content, 1});
}

void write_atomically(const char* op, const std::string& path, std::span<const std::string_view> pieces) {
  TemporaryFile file(path);
  const bool written = std::ranges::all_of(pieces, [&](std::string_view piece) { return file.append(piece); });
  if (!written || !file.finish() || !file.become(path)) {
    const int error = errno;
    throw Error(formatted("{}: {}: cannot be written: {}", op, path, std::generic_category().message(error)));
  }
  flush_directory_of(path);
}

}  // namespace gradus
