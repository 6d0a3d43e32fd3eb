#include "gradus/data/dataset.hpp"

#include <cmath>

#include "gradus/autograd.hpp"
#include "gradus/error.hpp"
#include "gradus/factory.hpp"
#include "gradus/ops.hpp"
#include "storage/format.hpp"

namespace gradus::data {
namespace {

Tensor order_of(std::int64_t n, const SplitOptions& options) {
  if (options.seed && options.generator) throw Error("split: takes a seed or a generator, not both");
  if (!options.shuffle) return arange(static_cast<double>(n), {.dtype = int64});
  if (!options.seed) return randperm(n, {.generator = options.generator});
  Generator seeded(*options.seed);
  return randperm(n, {.generator = &seeded});
}

}  // namespace

Dataset::Dataset(Tensor inputs, Tensor targets) : x(std::move(inputs)), y(std::move(targets)) {
  if (!x.defined() || !y.defined()) throw Error("Dataset: x and y must be defined tensors");
  if (x.dim() == 0 || y.dim() == 0 || x.size(0) != y.size(0)) {
    throw Error(formatted("Dataset: x and y must have the same number of samples in dim 0: {} and {}",
                          to_string(x.shape()), to_string(y.shape())));
  }
}

std::pair<Dataset, Dataset> Dataset::split(double fraction, const SplitOptions& options) const {
  if (!(fraction > 0 && fraction < 1)) {
    throw Error(formatted("split: the fraction must be between 0 and 1: {}", fraction));
  }
  const std::int64_t n = size();
  const auto first = static_cast<std::int64_t>(std::llround(fraction * static_cast<double>(n)));
  if (first == 0 || first == n) {
    throw Error(formatted("split: a part would be empty: fraction {} of {} samples", fraction, n));
  }
  NoGrad guard;
  const Tensor order = order_of(n, options);
  const auto part = [&](std::int64_t start, std::int64_t count) {
    const Tensor rows = order.narrow(0, start, count);
    return Dataset(index_select(x, 0, rows), index_select(y, 0, rows));
  };
  return {part(0, first), part(first, n - first)};
}

}  // namespace gradus::data
