// How a convolution is shared out.
#pragma once

#include <algorithm>

#include "kernels/blas.hpp"
#include "kernels/convolution.hpp"
#include "kernels/parallel.hpp"
#include "storage/pool.hpp"

namespace gradus::kernels {

// Memory for one thread's work.
template <class T>
class Scratch {
 public:
  explicit Scratch(std::int64_t size)
      : bytes_(static_cast<std::size_t>(size) * sizeof(T)), data_(static_cast<T*>(pool::allocate(bytes_))) {}
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() { pool::deallocate(data_, bytes_); }
  T* data() const { return data_; }

 private:
  std::size_t bytes_;
  T* data_;
};

// Calls f(begin, end) on ranges of `parts` of the batch, on several threads if there is enough to do. Products inside
// run on one.
template <class F>
void for_parts(const Convolution& c, std::int64_t parts, const F& f) {
  const std::int64_t work = c.batch * c.result() * c.depth() / std::max<std::int64_t>(1, parts);
  choose_blas_threads(0);
  parallel_for(0, parts, std::max<std::int64_t>(1, (1 << 20) / std::max<std::int64_t>(1, work)), f);
}

// The derivative by the weight as a sum over pieces of the batch: add(sum, begin, end) adds those of images [begin,
// end). The pieces, and so the rounding, are the same for any number of threads.
template <class T, class Add>
void sum_over_pieces(const Convolution& c, T* weight, const Add& add) {
  constexpr std::int64_t most_pieces = 8;
  const std::int64_t size = c.out * c.depth(), pieces = std::min(c.batch, most_pieces);
  const Scratch<T> sums(pieces * size);
  std::fill_n(sums.data(), pieces * size, T(0));
  for_parts(c, pieces, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      add(sums.data() + i * size, c.batch * i / pieces, c.batch * (i + 1) / pieces);
    }
  });
  std::fill_n(weight, size, T(0));
  for (std::int64_t piece = 0; piece < pieces; ++piece) {
    const T* const sum = sums.data() + piece * size;
    for (std::int64_t i = 0; i < size; ++i) weight[i] += sum[i];
  }
}

}  // namespace gradus::kernels
