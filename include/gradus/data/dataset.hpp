// Samples and what is to be predicted from them.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>

#include "gradus/random.hpp"
#include "gradus/tensor.hpp"

namespace gradus::data {

struct SplitOptions {
  bool shuffle = true;                     // false: the first samples go to the first part, in their order
  std::optional<std::uint64_t> seed = {};  // the same parts for the same seed, whatever was drawn before
  Generator* generator = nullptr;          // default: the global one
};

// Two tensors with one sample per entry of dim 0: sample i is x[i], its target y[i].
struct Dataset {
  Tensor x;
  Tensor y;

  Dataset() = default;
  // (n, ...), (n, ...). Throws unless both have the same first dim.
  Dataset(Tensor inputs, Tensor targets);

  // The number of samples, n.
  std::int64_t size() const { return x.size(0); }

  // Two disjoint parts, of round(fraction * n) samples and of the others, as copies.
  // Throws unless 0 < fraction < 1 and both parts get a sample.
  std::pair<Dataset, Dataset> split(double fraction, const SplitOptions& options = {}) const;
};

}  // namespace gradus::data
