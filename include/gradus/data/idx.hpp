// The file format of MNIST and its relatives.
#pragma once

#include <optional>
#include <string>

#include "gradus/tensor.hpp"

namespace gradus::data {

struct IdxOptions {
  // Default: the file's own for floats and for 32-bit integers (as int64); smaller integers are int64 in one dim
  // (labels) and float32 in more (images, 0 to 255).
  std::optional<Dtype> dtype = {};
};

// Reads an IDX file, plain or compressed with gzip, whatever its name: "train-images-idx3-ubyte.gz" -> (60000, 28, 28).
// Throws Error unless the header is valid and the file holds exactly as many elements as its header says; no more
// memory is taken than the file has data.
Tensor read_idx(const std::string& path, const IdxOptions& options = {});

}  // namespace gradus::data
