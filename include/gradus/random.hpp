// Random numbers: Philox4x32-10, a counter-based generator (Salmon et al., "Parallel random numbers: as easy as
// 1, 2, 3", SC 2011). Element i of a tensor depends only on the seed, the draws before it, and i: the same on every
// platform, with every compiler and for every number of threads.
#pragma once

#include <cstdint>
#include <optional>

#include "gradus/tensor.hpp"

namespace gradus {

class Generator {
 public:
  explicit Generator(std::uint64_t seed = 0) : seed_(seed) {}

  std::uint64_t seed() const { return seed_; }
  void manual_seed(std::uint64_t seed) { *this = Generator(seed); }

  // How many 128-bit blocks have been drawn. Together with the seed it is the whole state.
  std::uint64_t position() const { return position_; }
  void set_position(std::uint64_t position) { position_ = position; }

  // Reserves `blocks` counter values and returns the first.
  std::uint64_t advance(std::uint64_t blocks) {
    const std::uint64_t first = position_;
    position_ += blocks;
    return first;
  }

  // One 64-bit draw.
  std::uint64_t next();

  // An unbiased integer in [0, bound). Throws if bound is 0.
  std::uint64_t below(std::uint64_t bound);

 private:
  std::uint64_t seed_;
  std::uint64_t position_ = 0;
};

// The generator that functions use when none is passed: one per thread, each seeded with 0 until manual_seed().
Generator& default_generator();

// Seeds the calling thread's default generator.
void manual_seed(std::uint64_t seed);

struct RandomOptions {
  Dtype dtype = float32;
  bool requires_grad = false;
  Generator* generator = nullptr;
};

// For functions that take shape and, unless told otherwise, dtype from another tensor.
struct RandomLikeOptions {
  std::optional<Dtype> dtype = {};
  bool requires_grad = false;
  Generator* generator = nullptr;
};

struct RandomIntOptions {
  Dtype dtype = int64;
  bool requires_grad = false;
  Generator* generator = nullptr;
};

// Uniform on [0, 1). A float32 tensor holds the numbers of the float64 one, cut off after 24 bits. Throws if the dtype
// is not a floating one.
Tensor rand(const Shape& shape, const RandomOptions& options = {});
Tensor rand_like(const Tensor& like, const RandomLikeOptions& options = {});

// Standard normal, by inversion: x = Phi^-1(u) with Wichura's AS 241 (Applied Statistics 37, 1988). A float32 tensor
// holds the numbers of the float64 one, rounded. Throws if the dtype is not a floating one.
Tensor randn(const Shape& shape, const RandomOptions& options = {});
Tensor randn_like(const Tensor& like, const RandomLikeOptions& options = {});

// Integers, uniform on [low, high), without bias. Throws unless low < high and the dtype can hold all of them.
Tensor randint(std::int64_t low, std::int64_t high, const Shape& shape, const RandomIntOptions& options = {});
Tensor randint(std::int64_t high, const Shape& shape, const RandomIntOptions& options = {});

// A random permutation of 0 .. n - 1: () -> (n). Throws if n is negative or the dtype cannot hold n - 1.
Tensor randperm(std::int64_t n, const RandomIntOptions& options = {});

// 1 with the probability that p holds at that place, else 0; p's shape and dtype. Throws if a probability is outside
// [0, 1] or NaN.
Tensor bernoulli(const Tensor& p, Generator* generator = nullptr);

}  // namespace gradus
