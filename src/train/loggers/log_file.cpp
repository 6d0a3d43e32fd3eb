#include "train/loggers/log_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "storage/format.hpp"

namespace gradus::train {

void LogFile::open(const std::string& path, std::int64_t length) {
  close();
  path_ = path;
  descriptor_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  struct stat status {};
  if (descriptor_ < 0 || fstat(descriptor_, &status) != 0) refuse();
  length_ = std::min<std::int64_t>(length, status.st_size);
  if (ftruncate(descriptor_, length_) != 0) refuse();
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

void LogFile::close() {
  if (descriptor_ >= 0) ::close(descriptor_);
  descriptor_ = -1;
}

void LogFile::refuse() const {
  fail("{}: {}: cannot be written: {}", op_, path_, std::generic_category().message(errno));
}

}  // namespace gradus::train
