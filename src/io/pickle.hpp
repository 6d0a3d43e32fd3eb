// The pickle in a file of torch.save, as far as a state dict of plain tensors needs it. Nothing is executed: of the
// classes and functions that a pickle may name, those that such a file needs are known here, and any other is refused.
//
// [Python's pickletools.py describes the opcodes]
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gradus::torch_file {

// The element types of PyTorch's storages that are read.
enum class Element : std::uint8_t { float16, bfloat16, float32, float64, uint8, int8, int16, int32, int64, boolean };

struct TensorRecord {
  std::string name;
  std::string storage;  // its key: the entry data/<key> of the file
  Element element;
  std::int64_t storage_size;  // in elements
  std::int64_t offset;
  std::vector<std::int64_t> sizes, strides;
};

// Throws Error, beginning with `where`, unless the pickle is a dict from names to tensors, each inside its storage.
std::vector<TensorRecord> read_state_dict(const std::string& where, std::string_view pickle);

}  // namespace gradus::torch_file
