// Rotary positions: a rotation of pairs, whose derivative is the rotation back.

#include <cmath>

#include "autograd/record.hpp"
#include "gradus/autograd.hpp"
#include "gradus/ops.hpp"
#include "kernels/kernels.hpp"
#include "ops/copy.hpp"
#include "ops/rows.hpp"

namespace gradus {
namespace {

// The angle of each position and pair, in double: (positions, width / 2).
Tensor angles(std::int64_t positions, std::int64_t half, const RotaryOptions& options) {
  Tensor all = make_tensor({positions, half}, float64);
  double* angle = data_of<double>(all);
  Tensor frequency = make_tensor({half}, float64);
  double* const f = data_of<double>(frequency);
  for (std::int64_t i = 0; i < half; ++i)
    f[i] = std::pow(options.base, -static_cast<double>(i) / static_cast<double>(half));
  for (std::int64_t p = 0; p < positions; ++p) {
    for (std::int64_t i = 0; i < half; ++i) *angle++ = static_cast<double>(p + options.offset) * f[i];
  }
  return all;
}

template <class T>
void turn_rows(T* y, const T* x, const T* cosine, const T* sine, T direction, std::int64_t rows, std::int64_t half) {
  for (std::int64_t row = 0; row < rows; ++row, x += 2 * half, y += 2 * half, cosine += half, sine += half) {
    for (std::int64_t i = 0; i < half; ++i) {
      const T a = x[i], b = x[half + i], s = direction * sine[i];
      y[i] = a * cosine[i] - b * s;
      y[half + i] = a * s + b * cosine[i];
    }
  }
}

// direction is 1, or -1 to turn back.
Tensor turned(const Tensor& input, const RotaryOptions& options, double direction) {
  const Tensor x = dense(input);
  Tensor y = make_tensor(x.shape(), x.dtype());
  if (x.numel() == 0) return y;
  const std::int64_t positions = x.size(-2), width = x.size(-1), half = width / 2;
  const NoGrad guard;
  const Tensor angle = angles(positions, half, options);
  const Tensor cosine = cos(angle).to(x.dtype()), sine = sin(angle).to(x.dtype());
  const std::int64_t matrices = x.numel() / (positions * width);
  dispatch_floating("rotary_embedding", x.dtype(), [&]<class T>() {
    kernels::parallel_for(0, matrices, std::max<std::int64_t>(1, parallel_grain / (positions * width)),
                          [&](std::int64_t begin, std::int64_t end) {
                            for (std::int64_t m = begin * positions * width; m < end * positions * width;
                                 m += positions * width) {
                              turn_rows(data_of<T>(y) + m, data_of<T>(x) + m, data_of<T>(cosine), data_of<T>(sine),
                                        static_cast<T>(direction), positions, half);
                            }
                          });
  });
  return y;
}

Tensor turn(const Tensor& x, const RotaryOptions& options, double direction) {
  return record("rotary_embedding", turned(x, options, direction),
                wrt(x, [options, direction](const Tensor& g) { return turn(g, options, -direction); }));
}

}  // namespace

Tensor rotary_embedding(const Tensor& x, const RotaryOptions& options) {
  if (x.dim() < 2 || x.size(-1) % 2 != 0) {
    fail("rotary_embedding: the input must be (..., positions, even width), got {}", x.shape());
  }
  if (!is_floating_point(x.dtype())) fail("rotary_embedding: a floating dtype is needed, got {}", x.dtype());
  if (!(options.base > 0)) fail("rotary_embedding: the base must be positive, got {}", options.base);
  return turn(x, options, 1);
}

}  // namespace gradus
