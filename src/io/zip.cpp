#include "io/zip.hpp"

#include <zlib.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>

#include "io/header.hpp"
#include "storage/format.hpp"

namespace gradus {
namespace {

using safetensors::quoted;

static_assert(std::endian::native == std::endian::little, "zip files are little endian");

constexpr std::uint32_t local_mark = 0x04034b50, entry_mark = 0x02014b50, end_mark = 0x06054b50;
constexpr std::uint32_t end64_mark = 0x06064b50, locator64_mark = 0x07064b50;
constexpr std::uint64_t local_size = 30, entry_size = 46, end_size = 22, end64_size = 56, locator64_size = 20;
constexpr std::uint32_t in_zip64 = 0xffffffff;  // a number that did not fit and is elsewhere

template <class T>
T number(const std::string& bytes, std::uint64_t at) {
  T value;
  std::memcpy(&value, bytes.data() + at, sizeof(T));
  return value;
}

// The numbers of an entry that are in its zip64 field, in this order; the others stay.
bool read_zip64(const std::string& extra, std::uint64_t& size, std::uint64_t& packed, std::uint64_t& header) {
  for (std::uint64_t at = 0; at + 4 <= extra.size();) {
    const auto id = number<std::uint16_t>(extra, at), length = number<std::uint16_t>(extra, at + 2);
    at += 4;
    if (at + length > extra.size()) return false;
    const std::uint64_t end = at + length;
    if (id == 1) {
      for (std::uint64_t* const value : {&size, &packed, &header}) {
        if (*value != in_zip64) continue;
        if (at + 8 > end) return false;
        *value = number<std::uint64_t>(extra, at);
        at += 8;
      }
      return true;
    }
    at = end;
  }
  return true;
}

}  // namespace

ZipFile::ZipFile(const char* op, const std::string& path)
    : op_(op), path_(path), stream_(path, std::ios::binary | std::ios::ate) {
  const std::streamoff size = stream_ ? static_cast<std::streamoff>(stream_.tellg()) : -1;
  // A directory opens, and has the largest size there is.
  if (size < 0 || size == std::numeric_limits<std::streamoff>::max()) fail("{}: {}: cannot be read", op, path);
  size_ = static_cast<std::uint64_t>(size);
  read_directory(find_directory());
}

const ZipFile::Entry* ZipFile::find(const std::string& name) const {
  const auto found = std::ranges::lower_bound(entries_, name, {}, &Entry::name);
  return found == entries_.end() || found->name != name ? nullptr : &*found;
}

std::string ZipFile::bytes(std::uint64_t begin, std::uint64_t size) {
  if (size > size_ || begin > size_ - size) fail("{}: {}: ended early", op_, path_);
  std::string result(size, '\0');
  stream_.seekg(static_cast<std::streamoff>(begin));
  if (!stream_.read(result.data(), static_cast<std::streamsize>(size))) fail("{}: {}: ended early", op_, path_);
  return result;
}

// It is at the end of the file, with a comment of up to 64 kB behind it.
ZipFile::Directory ZipFile::find_directory() {
  const std::uint64_t tail_size = std::min<std::uint64_t>(size_, end_size + 0xffff);
  const std::string tail = bytes(size_ - tail_size, tail_size);
  for (std::uint64_t at = tail_size; at >= end_size; --at) {
    const std::uint64_t end = at - end_size;
    if (number<std::uint32_t>(tail, end) != end_mark) continue;
    if (end + end_size + number<std::uint16_t>(tail, end + 20) != tail_size) continue;
    Directory found{number<std::uint32_t>(tail, end + 16), number<std::uint32_t>(tail, end + 12),
                    number<std::uint16_t>(tail, end + 10)};
    const std::uint64_t position = size_ - tail_size + end;
    if (position < locator64_size) return found;
    const std::string locator = bytes(position - locator64_size, locator64_size);
    if (number<std::uint32_t>(locator, 0) != locator64_mark) return found;
    const std::string end64 = bytes(number<std::uint64_t>(locator, 8), end64_size);
    if (number<std::uint32_t>(end64, 0) != end64_mark) fail("{}: {}: its zip64 record is broken", op_, path_);
    return {number<std::uint64_t>(end64, 48), number<std::uint64_t>(end64, 40), number<std::uint64_t>(end64, 32)};
  }
  fail("{}: {}: is not a zip file, as torch.save writes since PyTorch 1.6", op_, path_);
}

void ZipFile::read_directory(const Directory& directory) {
  const std::string table = bytes(directory.begin, directory.size);
  std::uint64_t at = 0;
  for (std::uint64_t i = 0; i < directory.count; ++i) {
    if (at + entry_size > table.size() || number<std::uint32_t>(table, at) != entry_mark) {
      fail("{}: {}: its table of contents is broken at entry {}", op_, path_, i);
    }
    const std::uint64_t name = number<std::uint16_t>(table, at + 28), extra = number<std::uint16_t>(table, at + 30),
                        comment = number<std::uint16_t>(table, at + 32);
    if (at + entry_size + name + extra + comment > table.size()) {
      fail("{}: {}: its table of contents is broken at entry {}", op_, path_, i);
    }
    Entry entry{table.substr(at + entry_size, name), 0, number<std::uint32_t>(table, at + 24),
                number<std::uint32_t>(table, at + 16)};
    std::uint64_t packed = number<std::uint32_t>(table, at + 20), header = number<std::uint32_t>(table, at + 42);
    if (!read_zip64(table.substr(at + entry_size + name, extra), entry.size, packed, header)) {
      fail("{}: {}: the zip64 field of {} is broken", op_, path_, quoted(entry.name));
    }
    const bool encrypted = (number<std::uint16_t>(table, at + 8) & 1) != 0;
    if (encrypted || number<std::uint16_t>(table, at + 10) != 0 || packed != entry.size) {
      fail("{}: {}: {} is compressed or encrypted, which torch.save does not do", op_, path_, quoted(entry.name));
    }
    entry.begin = begin_of_data(entry, header);
    entries_.push_back(std::move(entry));
    at += entry_size + name + extra + comment;
  }
  std::ranges::sort(entries_, {}, &Entry::begin);
  check_overlaps();
  std::ranges::sort(entries_, {}, &Entry::name);
  const auto twice = std::ranges::adjacent_find(entries_, {}, &Entry::name);
  if (twice != entries_.end()) fail("{}: {}: {} is there twice", op_, path_, quoted(twice->name));
}

std::uint64_t ZipFile::begin_of_data(const Entry& entry, std::uint64_t header) {
  const std::string local = bytes(header, local_size);
  if (number<std::uint32_t>(local, 0) != local_mark) {
    fail("{}: {}: {} is not where the table of contents says", op_, path_, quoted(entry.name));
  }
  const std::uint64_t begin = header + local_size + number<std::uint16_t>(local, 26) + number<std::uint16_t>(local, 28);
  if (begin > size_ || entry.size > size_ - begin) fail("{}: {}: {} ends early", op_, path_, quoted(entry.name));
  return begin;
}

// Else a small file could hold large entries, all in the same place.
void ZipFile::check_overlaps() const {
  std::uint64_t end = 0;
  for (const Entry& entry : entries_) {
    if (entry.begin < end) fail("{}: {}: {} overlaps another entry", op_, path_, quoted(entry.name));
    end = entry.begin + entry.size;
  }
}

void ZipFile::read(const Entry& entry, void* target) {
  stream_.seekg(static_cast<std::streamoff>(entry.begin));
  if (!stream_.read(static_cast<char*>(target), static_cast<std::streamsize>(entry.size))) {
    fail("{}: {}: {} ends early", op_, path_, quoted(entry.name));
  }
  const auto crc = crc32_z(0, static_cast<const Bytef*>(target), entry.size);
  if (crc != entry.crc) fail("{}: {}: the checksum of {} is wrong", op_, path_, quoted(entry.name));
}

std::string ZipFile::text(const Entry& entry) {
  std::string result(entry.size, '\0');
  read(entry, result.data());
  return result;
}

}  // namespace gradus
