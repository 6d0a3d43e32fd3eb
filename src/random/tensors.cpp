// Tensors of random numbers. Each element takes one 64-bit draw of its own, whatever its dtype: a float32 tensor holds
// the numbers of the float64 one, rounded, and generators stay in step.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "gradus/factory.hpp"
#include "gradus/random.hpp"
#include "kernels/parallel.hpp"
#include "random/bounded.hpp"
#include "random/normal.hpp"
#include "random/philox.hpp"
#include "storage/format.hpp"
#include "tensor/impl.hpp"

namespace gradus {
namespace {

using random::tile;

Generator& chosen(Generator* generator) { return generator ? *generator : default_generator(); }

// Draws come in pairs.
constexpr std::int64_t blocks_for(std::int64_t draws) { return draws / 2 + draws % 2; }

// Calls piece(i, bits, count) for tiles [i, i + count) that cover [0, n), in parallel, each with its draws.
template <class Piece>
void for_each_tile(Generator& generator, std::int64_t n, const Piece& piece) {
  const std::uint64_t seed = generator.seed();
  const std::uint64_t start = generator.advance(static_cast<std::uint64_t>(blocks_for(n)));
  constexpr std::int64_t grain = 16;  // tiles worth a thread's while
  kernels::parallel_for(0, (n + tile - 1) / tile, grain, [&](std::int64_t begin, std::int64_t end) {
    std::uint64_t bits[tile];
    for (std::int64_t t = begin; t < end; ++t) {
      const std::int64_t i = t * tile, count = std::min(tile, n - i), blocks = blocks_for(count);
      const std::uint64_t block = start + static_cast<std::uint64_t>(i / 2);
      for (std::int64_t b = 0; b < blocks; ++b) {
        const random::Draws draws = random::draw_block(seed, block + static_cast<std::uint64_t>(b));
        bits[2 * b] = draws.first;
        bits[2 * b + 1] = draws.second;
      }
      piece(i, static_cast<const std::uint64_t*>(bits), count);
    }
  });
}

// The leading bits of the draw as a fraction: as many as T holds, so that 1 is never reached.
template <class T>
T fraction(std::uint64_t bits) {
  constexpr int digits = std::numeric_limits<T>::digits;
  return static_cast<T>(static_cast<std::int64_t>(bits >> (64 - digits))) / static_cast<T>(std::int64_t{1} << digits);
}

template <class T>
void fill_uniform(T* out, std::int64_t n, Generator& generator) {
  for_each_tile(generator, n, [&](std::int64_t i, const std::uint64_t* bits, std::int64_t count) {
    for (std::int64_t j = 0; j < count; ++j) out[i + j] = fraction<T>(bits[j]);
  });
}

template <class T>
void fill_normal(T* out, std::int64_t n, Generator& generator) {
  for_each_tile(generator, n, [&](std::int64_t i, const std::uint64_t* bits, std::int64_t count) {
    double values[tile];
    random::normal(values, bits, count);
    for (std::int64_t j = 0; j < count; ++j) out[i + j] = static_cast<T>(values[j]);
  });
}

void check_shape(const char* op, const Shape& shape) {
  if (std::any_of(shape.begin(), shape.end(), [](std::int64_t size) { return size < 0; })) {
    fail("{}: sizes must not be negative, got {}", op, shape);
  }
}

// An uninitialised tensor for an op's floating result.
Tensor floating(const char* op, const Shape& shape, Dtype dtype, bool requires_grad) {
  check_shape(op, shape);
  if (!is_floating_point(dtype)) fail("{}: dtype must be float32 or float64, got {}", op, dtype);
  return empty(shape, {.dtype = dtype, .requires_grad = requires_grad});
}

// Throws unless every integer in [low, last] has its own value of the dtype.
void check_range(const char* op, std::int64_t low, std::int64_t last, Dtype dtype) {
  std::int64_t least = std::numeric_limits<std::int64_t>::min(), most = std::numeric_limits<std::int64_t>::max();
  if (dtype == boolean) least = 0, most = 1;
  if (dtype == float32) most = std::int64_t{1} << std::numeric_limits<float>::digits, least = -most;
  if (dtype == float64) most = std::int64_t{1} << std::numeric_limits<double>::digits, least = -most;
  if (low < least || last > most) {
    fail("{}: {} cannot represent every integer from {} to {}", op, dtype, low, last);
  }
}

Tensor integers(const char* op, const Shape& shape, const RandomIntOptions& options) {
  check_shape(op, shape);
  if (options.requires_grad && !is_floating_point(options.dtype)) {
    fail("{}: only floating tensors can require a gradient, got dtype {}", op, options.dtype);
  }
  return empty(shape, {.dtype = options.dtype, .requires_grad = options.requires_grad});
}

RandomOptions resolved(const Tensor& like, const RandomLikeOptions& options) {
  return {.dtype = options.dtype.value_or(like.dtype()),
          .requires_grad = options.requires_grad,
          .generator = options.generator};
}

}  // namespace

Tensor rand(const Shape& shape, const RandomOptions& options) {
  Tensor result = floating("rand", shape, options.dtype, options.requires_grad);
  dispatch_floating("rand", options.dtype,
                    [&]<class T>() { fill_uniform(data_of<T>(result), result.numel(), chosen(options.generator)); });
  return result;
}

Tensor randn(const Shape& shape, const RandomOptions& options) {
  Tensor result = floating("randn", shape, options.dtype, options.requires_grad);
  dispatch_floating("randn", options.dtype,
                    [&]<class T>() { fill_normal(data_of<T>(result), result.numel(), chosen(options.generator)); });
  return result;
}

Tensor rand_like(const Tensor& like, const RandomLikeOptions& options) {
  return rand(like.shape(), resolved(like, options));
}

Tensor randn_like(const Tensor& like, const RandomLikeOptions& options) {
  return randn(like.shape(), resolved(like, options));
}

Tensor randint(std::int64_t low, std::int64_t high, const Shape& shape, const RandomIntOptions& options) {
  if (low >= high) fail("randint: low must be less than high: {} and {}", low, high);
  check_range("randint", low, high - 1, options.dtype);
  Tensor result = integers("randint", shape, options);
  // In unsigned arithmetic, since high - low may not fit into an int64_t.
  const std::uint64_t base = static_cast<std::uint64_t>(low), span = static_cast<std::uint64_t>(high) - base;
  Generator& generator = chosen(options.generator);
  const std::uint64_t seed = generator.seed(), start = generator.position();
  dispatch(options.dtype, [&]<class T>() {
    T* const out = data_of<T>(result);
    for_each_tile(generator, result.numel(), [&](std::int64_t i, const std::uint64_t* bits, std::int64_t count) {
      for (std::int64_t j = 0; j < count; ++j) {
        const std::uint64_t offset = random::bounded(bits[j], span, seed, start, static_cast<std::uint64_t>(i + j));
        out[i + j] = static_cast<T>(static_cast<std::int64_t>(base + offset));
      }
    });
  });
  return result;
}

Tensor randint(std::int64_t high, const Shape& shape, const RandomIntOptions& options) {
  return randint(0, high, shape, options);
}

Tensor randperm(std::int64_t n, const RandomIntOptions& options) {
  if (n < 0) fail("randperm: n must not be negative, got {}", n);
  check_range("randperm", 0, std::max<std::int64_t>(n - 1, 0), options.dtype);
  Tensor result = integers("randperm", {n}, options);
  Generator& generator = chosen(options.generator);
  const std::uint64_t seed = generator.seed(), start = generator.position();
  dispatch(options.dtype, [&]<class T>() {
    T* const out = data_of<T>(result);
    for (std::int64_t i = 0; i < n; ++i) out[i] = static_cast<T>(i);
    // Fisher and Yates: place i swaps with one of the places from i on.
    for (std::int64_t i = 0; i < n; ++i) {
      const auto index = static_cast<std::uint64_t>(i);
      const std::uint64_t bits = random::draw(seed, start, index);
      const auto left = static_cast<std::uint64_t>(n - i);
      std::swap(out[i], out[i + static_cast<std::int64_t>(random::bounded(bits, left, seed, start, index))]);
    }
  });
  generator.advance(static_cast<std::uint64_t>(blocks_for(n)));
  return result;
}

Tensor bernoulli(const Tensor& p, Generator* generator) {
  const Tensor probabilities = p.detach().contiguous();
  Tensor result = floating("bernoulli", p.shape(), p.dtype(), false);
  const std::int64_t n = result.numel();
  dispatch_floating("bernoulli", p.dtype(), [&]<class T>() {
    const T* const chance = data_of<T>(probabilities);
    T* const out = data_of<T>(result);
    // Negated, so that NaN is caught as well; and before anything is drawn.
    const T* const bad = std::find_if(chance, chance + n, [](T x) { return !(x >= 0 && x <= 1); });
    if (bad != chance + n) {
      fail("bernoulli: a probability must be in [0, 1], got {} at element {} of {}", *bad, bad - chance, p.shape());
    }
    for_each_tile(chosen(generator), n, [&](std::int64_t i, const std::uint64_t* bits, std::int64_t count) {
      for (std::int64_t j = 0; j < count; ++j) {
        out[i + j] = fraction<double>(bits[j]) < static_cast<double>(chance[i + j]) ? T{1} : T{0};
      }
    });
  });
  return result;
}

}  // namespace gradus
