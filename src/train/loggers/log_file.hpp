// A file that grows record by record, and can go back to a length that it had.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace gradus::train {

class LogFile {
 public:
  explicit LogFile(std::string op) : op_(std::move(op)) {}
  ~LogFile() { close(); }
  LogFile(const LogFile&) = delete;
  LogFile& operator=(const LogFile&) = delete;

  // Cuts the file to `length` bytes, or makes it. Of a shorter one all stays. Throws Error, naming the path.
  void open(const std::string& path, std::int64_t length);
  bool is_open() const { return descriptor_ >= 0; }
  // As one write, so that a reader sees the whole record or nothing. Throws if it is not all on the file.
  void append(std::string_view record);
  std::int64_t length() const { return length_; }
  void close();

 private:
  [[noreturn]] void refuse() const;

  std::string op_;
  std::string path_;
  int descriptor_ = -1;
  std::int64_t length_ = 0;
};

}  // namespace gradus::train
