// A file that grows record by record, and can go back to a length that it had.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace gradus::train {

// How many of the first bytes are whole records.
using WholeRecords = std::size_t (*)(std::string_view bytes);

class LogFile {
 public:
  LogFile(std::string op, WholeRecords whole_records) : op_(std::move(op)), whole_records_(whole_records) {}
  ~LogFile() { close(); }
  LogFile(const LogFile&) = delete;
  LogFile& operator=(const LogFile&) = delete;

  // Makes the file if need be, and leaves what is in it. Throws Error, naming the path.
  void open(const std::string& path);
  bool is_open() const { return descriptor_ >= 0; }
  // Back to `length` bytes. A file that has become shorter keeps its whole records, a pipe all.
  void cut(std::int64_t length);
  // As one write, so that a reader sees the whole record or nothing. Throws if it is not all on the file.
  void append(std::string_view record);
  // What was appended outlives a crash of the machine.
  void sync() const;
  std::int64_t length() const { return length_; }
  void close();

 private:
  std::int64_t whole_length() const;
  [[noreturn]] void refuse() const;

  std::string op_;
  WholeRecords whole_records_;
  std::string path_;
  int descriptor_ = -1;
  bool is_regular_ = false;
  std::int64_t length_ = 0;
};

}  // namespace gradus::train
