// Sorting along a dim: the order is found, then the values are gathered by it, which has a derivative already.

#include <algorithm>
#include <numeric>
#include <vector>

#include "autograd/observer.hpp"
#include "gradus/ops.hpp"
#include "ops/lines.hpp"

namespace gradus {
namespace {

// NaN comes after everything.
template <class T>
bool less(T a, T b) {
  return a < b || (b != b && a == a);
}

std::int64_t line_length(const Tensor& x, std::int64_t dim) { return x.dim() == 0 ? 1 : x.shape()[dim]; }

Tensor sorted_places(const char* op, const Tensor& x, std::int64_t dim, bool descending) {
  const Tensor places = places_along(
      x, dim, line_length(x, dim), [descending]<class T>(std::span<const T> values, std::span<std::int64_t> order) {
        const T* const v = values.data();
        std::iota(order.begin(), order.end(), 0);
        std::stable_sort(order.begin(), order.end(), [=](std::int64_t i, std::int64_t j) {
          return descending ? less(v[j], v[i]) : less(v[i], v[j]);
        });
      });
  note_branches(op, [&] { return places; });
  return places;
}

}  // namespace

Sorted sort(const Tensor& x, std::int64_t dim, const SortOptions& options) {
  const std::int64_t d = wrap_dim("sort", dim, x.dim());
  const Tensor places = sorted_places("sort", x, d, options.descending);
  return {gather(x, d, places), places};
}

Tensor argsort(const Tensor& x, std::int64_t dim, const SortOptions& options) {
  return sorted_places("argsort", x, wrap_dim("argsort", dim, x.dim()), options.descending);
}

Sorted topk(const Tensor& x, std::int64_t k, std::int64_t dim, const TopkOptions& options) {
  const std::int64_t d = wrap_dim("topk", dim, x.dim());
  const std::int64_t n = line_length(x, d);
  if (k < 0 || k > n) fail("topk: k {} is out of range for dim {} of shape {}", k, dim, x.shape());
  const auto best = [n, largest = options.largest]<class T>(std::span<const T> values, std::span<std::int64_t> chosen) {
    const T* const v = values.data();
    std::vector<std::int64_t> order(static_cast<std::size_t>(n));
    std::iota(order.begin(), order.end(), 0);
    const auto before = [=](std::int64_t i, std::int64_t j) {
      if (less(v[i], v[j])) return !largest;
      if (less(v[j], v[i])) return largest;
      return i < j;
    };
    const auto end = order.begin() + static_cast<std::ptrdiff_t>(chosen.size());
    std::partial_sort(order.begin(), end, order.end(), before);
    std::copy(order.begin(), end, chosen.begin());
  };
  const Tensor places = places_along(x, d, x.dim() == 0 ? 1 : k, best);
  note_branches("topk", [&] { return places; });
  return {gather(x, d, places), places};
}

Sorted Tensor::sort(std::int64_t dim, const SortOptions& options) const { return gradus::sort(*this, dim, options); }
Tensor Tensor::argsort(std::int64_t dim, const SortOptions& options) const {
  return gradus::argsort(*this, dim, options);
}
Sorted Tensor::topk(std::int64_t k, std::int64_t dim, const TopkOptions& options) const {
  return gradus::topk(*this, k, dim, options);
}

}  // namespace gradus
