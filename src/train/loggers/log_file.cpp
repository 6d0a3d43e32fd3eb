#include "train/loggers/log_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <iterator>
#include <system_error>

#include "storage/atomic_file.hpp"
#include "storage/format.hpp"

namespace gradus::train {

void LogFile::open(const std::string& path) {
  close();
  path_ = path;
  descriptor_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  struct stat status {};
  if (descriptor_ < 0 || fstat(descriptor_, &status) != 0) refuse();
  is_regular_ = S_ISREG(status.st_mode);
  if (is_regular_ && status.st_size == 0) flush_directory_of(path);
}

void LogFile::cut(std::int64_t length) {
  length_ = 0;
  if (!is_regular_) return;
  struct stat status {};
  if (fstat(descriptor_, &status) != 0) refuse();
  length_ = status.st_size < length ? whole_length() : length;
  if (ftruncate(descriptor_, length_) != 0) refuse();
}

std::int64_t LogFile::whole_length() const {
  std::ifstream file(path_, std::ios::binary);
  if (!file) refuse();
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  return static_cast<std::int64_t>(whole_records_(bytes));
}

void LogFile::append(std::string_view record) {
  while (!record.empty()) {
    const ssize_t written = write(descriptor_, record.data(), record.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) refuse();
    record.remove_prefix(static_cast<std::size_t>(written));
    length_ += written;
  }
}

void LogFile::sync() const {
  if (!is_open() || !is_regular_) return;
  while (fdatasync(descriptor_) != 0) {
    if (errno != EINTR) refuse();
  }
}

void LogFile::close() {
  if (descriptor_ >= 0) ::close(descriptor_);
  descriptor_ = -1;
}

void LogFile::refuse() const {
  fail("{}: {}: cannot be written: {}", op_, path_, std::generic_category().message(errno));
}

}  // namespace gradus::train
