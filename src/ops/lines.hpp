// Walks a tensor line by line along one dim: what sorting, medians and running sums have in common.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

#include "gradus/ops.hpp"
#include "kernels/parallel.hpp"
#include "ops/copy.hpp"
#include "ops/rows.hpp"

namespace gradus {

// Calls f(place of a line's first element, distance of its neighbours, their number) for dense memory of this shape.
template <class F>
void for_each_line(const Shape& shape, std::int64_t dim, const F& f) {
  if (shape.numel() == 0) return;
  const std::int64_t n = shape.empty() ? 1 : shape[dim];
  std::int64_t inner = 1;
  for (std::int64_t i = dim + 1; i < shape.size(); ++i) inner *= shape[i];
  kernels::parallel_for(0, shape.numel() / n, std::max<std::int64_t>(1, parallel_grain / n),
                        [&](std::int64_t begin, std::int64_t end) {
                          for (std::int64_t line = begin; line < end; ++line) {
                            f(line / inner * inner * n + line % inner, inner, n);
                          }
                        });
}

// Places within the lines of x along dim: f(values of a line, room for `count` places) finds them.
template <class F>
Tensor places_along(const Tensor& x, std::int64_t dim, std::int64_t count, const F& f) {
  const bool is_last = dim + 1 >= x.dim();
  const Tensor lines = dense(is_last ? x : transpose(x.detach(), dim, -1));
  Shape shape = lines.shape();
  if (!shape.empty()) shape[shape.size() - 1] = count;
  const Tensor places = make_tensor(shape, int64);
  std::int64_t* const to = data_of<std::int64_t>(places);
  dispatch(x.dtype(), [&]<class T>() {
    const T* const from = data_of<T>(lines);
    for_each_line(lines.shape(), lines.dim() - 1, [&](std::int64_t start, std::int64_t, std::int64_t n) {
      f(std::span(from + start, static_cast<std::size_t>(n)),
        std::span(to + start / n * count, static_cast<std::size_t>(count)));
    });
  });
  return is_last ? places : dense(transpose(places, dim, -1));
}

}  // namespace gradus
