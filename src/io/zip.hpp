// The table of contents of a zip file, and what is stored in it uncompressed: all that torch.save writes.
//
// [PKWARE, APPNOTE.TXT, sections 4.3 and 4.5.3 (zip64)]
#pragma once

#include <cstdint>
#include <fstream>
#include <string>
#include <vector>

namespace gradus {

class ZipFile {
 public:
  struct Entry {
    std::string name;
    std::uint64_t begin, size;  // of its bytes in the file
    std::uint32_t crc;
  };

  // Throws Error, beginning with `op` and the path, unless the file is a zip file of plain entries, each inside the
  // file and outside all others.
  ZipFile(const char* op, const std::string& path);

  const std::vector<Entry>& entries() const { return entries_; }
  const Entry* find(const std::string& name) const;  // nullptr if there is none

  // Reads all of an entry into memory of its size. Throws if its checksum differs.
  void read(const Entry& entry, void* target);
  std::string text(const Entry& entry);

 private:
  struct Directory {
    std::uint64_t begin, size, count;
  };

  Directory find_directory();
  void read_directory(const Directory& directory);
  std::uint64_t begin_of_data(const Entry& entry, std::uint64_t header);
  void check_overlaps() const;
  std::string bytes(std::uint64_t begin, std::uint64_t size);

  const char* op_;
  std::string path_;
  std::ifstream stream_;
  std::uint64_t size_ = 0;
  std::vector<Entry> entries_;  // by name
};

}  // namespace gradus
