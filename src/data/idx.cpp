#include "gradus/data/idx.hpp"

#include <zlib.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <limits>
#include <memory>
#include <optional>
#include <string_view>
#include <system_error>
#include <vector>

#include "gradus/error.hpp"
#include "gradus/factory.hpp"
#include "storage/format.hpp"

namespace gradus::data {
namespace {

struct ElementType {
  std::string_view name;
  std::int64_t size;
  bool is_float;
};

std::optional<ElementType> element_type(unsigned char code) {
  switch (code) {
    case 0x08:
      return ElementType{"uint8", 1, false};
    case 0x09:
      return ElementType{"int8", 1, false};
    case 0x0B:
      return ElementType{"int16", 2, false};
    case 0x0C:
      return ElementType{"int32", 4, false};
    case 0x0D:
      return ElementType{"float32", 4, true};
    case 0x0E:
      return ElementType{"float64", 8, true};
    default:
      return std::nullopt;
  }
}

struct Header {
  unsigned char code = 0;
  ElementType type{};
  Shape shape;
  std::int64_t header_bytes = 0;
  std::int64_t data_bytes = 0;
};

// zlib reads plain files as they are, so that one way serves both.
class File {
 public:
  explicit File(const std::string& path) : path_(path), file_(gzopen(path.c_str(), "rb"), &gzclose) {
    if (!file_) fail(formatted("cannot be opened: {}", std::generic_category().message(errno)));
    std::error_code not_regular;
    const auto size = std::filesystem::file_size(path, not_regular);
    if (!not_regular) size_on_disk_ = static_cast<std::int64_t>(size);
  }

  [[noreturn]] void fail(const std::string& problem) const {
    throw Error(formatted("read_idx: {}: {}", path_, problem));
  }

  // Up to `count` bytes: fewer only where the file ends.
  std::int64_t read(unsigned char* target, std::int64_t count) {
    std::int64_t done = 0;
    while (done < count) {
      const auto piece = static_cast<unsigned>(std::min<std::int64_t>(count - done, 1 << 30));
      const int received = gzread(file_.get(), target + done, piece);
      if (received < 0) fail_reading();
      if (received == 0) break;
      done += received;
    }
    // zlib tells of a gzip file that breaks off only here.
    if (done < count) {
      int code = Z_OK;
      gzerror(file_.get(), &code);
      if (code != Z_OK && code != Z_STREAM_END) fail_reading();
    }
    return done;
  }

  // The most bytes that the file can hold, as far as that is known without reading it.
  std::int64_t capacity() {
    if (!size_on_disk_) return std::numeric_limits<std::int64_t>::max();
    constexpr std::int64_t best_ratio_of_deflate = 1032;
    return gzdirect(file_.get()) ? *size_on_disk_ : *size_on_disk_ * best_ratio_of_deflate;
  }

 private:
  [[noreturn]] void fail_reading() {
    int code = Z_OK;
    std::string_view message = gzerror(file_.get(), &code);
    if (message.starts_with(path_ + ": ")) message.remove_prefix(path_.size() + 2);
    fail(formatted("cannot be read: {}", message));
  }

  std::string path_;
  std::unique_ptr<gzFile_s, int (*)(gzFile)> file_;
  std::optional<std::int64_t> size_on_disk_;
};

// E value = big-endian bytes, for any byte order of this machine.
template <class E>
E load(const unsigned char* bytes) {
  using Bits = std::conditional_t<sizeof(E) == 8, std::uint64_t, std::uint32_t>;
  Bits bits = 0;
  for (std::size_t i = 0; i < sizeof(E); ++i) bits = (bits << 8) | bytes[i];
  if constexpr (std::is_floating_point_v<E>)
    return std::bit_cast<E>(bits);
  else
    return static_cast<E>(bits);
}

// The number of bytes that the shape stands for; nullopt beyond what a tensor can have, empty dims left out, since
// strides are products of the others.
std::optional<std::int64_t> bytes_of(const Shape& shape) {
  constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max() / 8;
  std::int64_t product = 1;
  for (const std::int64_t size : shape) {
    if (size > 0 && product > most / size) return std::nullopt;
    product *= std::max<std::int64_t>(size, 1);
  }
  return shape.numel();
}

Header read_header(File& file) {
  unsigned char magic[4];
  const std::int64_t received = file.read(magic, 4);
  if (received < 4) file.fail(formatted("truncated: the header takes 4 bytes and the sizes, {} bytes found", received));
  if (magic[0] != 0 || magic[1] != 0) {
    file.fail(formatted("is no IDX file: it begins with bytes {:02x} {:02x}, not 00 00", magic[0], magic[1]));
  }
  const auto type = element_type(magic[2]);
  if (!type) file.fail(formatted("element type must be 08, 09, 0b, 0c, 0d or 0e: {:02x}", magic[2]));
  const int dims = magic[3];
  if (dims < 1 || dims > Shape::max_dims) file.fail(formatted("must have 1 to {} dims: {}", Shape::max_dims, dims));

  unsigned char sizes[4 * Shape::max_dims];
  if (file.read(sizes, 4 * dims) < 4 * dims)
    file.fail(formatted("truncated: it ends among the sizes of {} dims", dims));
  Header header{.code = magic[2], .type = *type, .shape = {}, .header_bytes = 4 + 4 * dims};
  for (int i = 0; i < dims; ++i) header.shape.push_back(load<std::uint32_t>(sizes + 4 * i));
  const auto elements = bytes_of(header.shape);
  if (!elements) file.fail(formatted("sizes overflow: {}", to_string(header.shape)));
  header.data_bytes = *elements * type->size;
  return header;
}

[[noreturn]] void fail_truncated(const File& file, const Header& header, std::int64_t at_most) {
  file.fail(formatted("truncated: {} of {} takes {} bytes, the file has at most {}", to_string(header.shape),
                      header.type.name, header.data_bytes, at_most));
}

// The header may lie: memory grows with what is really there.
std::vector<unsigned char> read_data(File& file, const Header& header) {
  const std::int64_t capacity = file.capacity() - header.header_bytes;
  if (header.data_bytes > capacity) fail_truncated(file, header, capacity);
  std::vector<unsigned char> bytes;
  std::int64_t done = 0;
  while (done < header.data_bytes) {
    const std::int64_t piece = std::min(header.data_bytes - done, std::max<std::int64_t>(done, 1 << 20));
    bytes.resize(static_cast<std::size_t>(done + piece));
    const std::int64_t received = file.read(bytes.data() + done, piece);
    done += received;
    if (received < piece) fail_truncated(file, header, done);
  }
  unsigned char extra;
  if (file.read(&extra, 1) != 0) {
    file.fail(formatted("{} of {} takes {} bytes, but the file goes on", to_string(header.shape), header.type.name,
                        header.data_bytes));
  }
  return bytes;
}

Dtype default_dtype(const Header& header) {
  if (header.type.is_float) return header.type.size == 4 ? float32 : float64;
  return header.type.size == 4 || header.shape.size() == 1 ? int64 : float32;
}

template <class E, class T>
void convert(const std::vector<unsigned char>& bytes, std::span<T> target) {
  for (std::size_t i = 0; i < target.size(); ++i) target[i] = static_cast<T>(load<E>(bytes.data() + i * sizeof(E)));
}

template <class T>
void convert(unsigned char code, const std::vector<unsigned char>& bytes, std::span<T> target) {
  switch (code) {
    case 0x08:
      return convert<std::uint8_t>(bytes, target);
    case 0x09:
      return convert<std::int8_t>(bytes, target);
    case 0x0B:
      return convert<std::int16_t>(bytes, target);
    case 0x0C:
      return convert<std::int32_t>(bytes, target);
    case 0x0D:
      return convert<float>(bytes, target);
    default:
      return convert<double>(bytes, target);
  }
}

}  // namespace

Tensor read_idx(const std::string& path, const IdxOptions& options) {
  File file(path);
  const Header header = read_header(file);
  const Dtype dtype = options.dtype.value_or(default_dtype(header));
  if (dtype == boolean || (dtype == int64 && header.type.is_float)) {
    file.fail(formatted("cannot be read as {}: it holds {}", to_string(dtype), header.type.name));
  }
  const std::vector<unsigned char> bytes = read_data(file, header);
  Tensor result = empty(header.shape, {.dtype = dtype});
  if (dtype == float32)
    convert(header.code, bytes, result.data<float>());
  else if (dtype == float64)
    convert(header.code, bytes, result.data<double>());
  else
    convert(header.code, bytes, result.data<std::int64_t>());
  return result;
}

}  // namespace gradus::data
