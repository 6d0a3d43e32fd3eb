// MNIST and the data sets that took its form.
#pragma once

#include <string>

#include "gradus/data/dataset.hpp"

namespace gradus::data {

struct MnistOptions {
  bool train = true;  // false: the test images
};

// Reads the two IDX files of one part, named as MNIST's ("train-images-idx3-ubyte", "t10k-labels-idx1-ubyte"), plain or
// with ".gz": x float32 (n, 1, height, width) in [0, 1], y int64 (n). For `gradus data fetch mnist` (or fashion-mnist)
// the directory is stored("mnist"). Throws if a file is missing, or the two don't belong together.
Dataset mnist(const std::string& directory, const MnistOptions& options = {});

}  // namespace gradus::data
