// The header of a safetensors file: a JSON object that says of each tensor what it is and where its bytes are.
//
// {"__metadata__": {"key": "text", ...}, "name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, ...}
//
// [https://github.com/huggingface/safetensors, section "Format"]
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "gradus/dtype.hpp"
#include "gradus/shape.hpp"

namespace gradus::safetensors {

struct Entry {
  std::string name;
  Dtype dtype;
  Shape shape;
  std::uint64_t begin, end;  // of its bytes, counted from the end of the header
};

struct Header {
  std::map<std::string, std::string> metadata;
  std::vector<Entry> entries;  // in the order of their bytes
};

// Readers of the format take no header that is longer.
inline constexpr std::uint64_t longest_header = 100'000'000;

// Throws Error, beginning with "load: " and the path, unless the text is such a header and its tensors fill data_size
// bytes without gap or overlap.
Header parse_header(const std::string& path, std::string_view text, std::uint64_t data_size);

// A name from a file, for a message: on one line, and not too long.
std::string quoted(const std::string& name);

// Throws Error, beginning with "save", if a name or text is not UTF-8.
std::string write_header(const Header& header);

}  // namespace gradus::safetensors
