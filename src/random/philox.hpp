// Philox4x32-10: ten rounds that scramble a 128-bit counter under a 64-bit key (Salmon et al., SC 2011).
#pragma once

#include <array>
#include <cstdint>

namespace gradus::random {

using Block = std::array<std::uint32_t, 4>;
using Key = std::array<std::uint32_t, 2>;

// The paper's function: a bijection of counters for each key.
inline Block philox(Block counter, Key key) {
  constexpr std::uint64_t multiplier0 = 0xD2511F53, multiplier1 = 0xCD9E8D57;
  constexpr std::uint32_t weyl0 = 0x9E3779B9, weyl1 = 0xBB67AE85;  // golden ratio, sqrt(3) - 1
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t product0 = multiplier0 * counter[0];
    const std::uint64_t product1 = multiplier1 * counter[2];
    counter = {static_cast<std::uint32_t>(product1 >> 32) ^ counter[1] ^ key[0], static_cast<std::uint32_t>(product1),
               static_cast<std::uint32_t>(product0 >> 32) ^ counter[3] ^ key[1], static_cast<std::uint32_t>(product0)};
    key[0] += weyl0;
    key[1] += weyl1;
  }
  return counter;
}

// Each block is two draws of 64 bits. `attempt` opens a further stream for draws that had to be rejected, so that no
// element's number depends on another element's luck.
struct Draws {
  std::uint64_t first, second;
};
inline Draws draw_block(std::uint64_t seed, std::uint64_t block, std::uint64_t attempt = 0) {
  const auto low = [](std::uint64_t x) { return static_cast<std::uint32_t>(x); };
  const auto high = [](std::uint64_t x) { return static_cast<std::uint32_t>(x >> 32); };
  const Block b = philox({low(block), high(block), low(attempt), high(attempt)}, {low(seed), high(seed)});
  return {b[0] | std::uint64_t{b[1]} << 32, b[2] | std::uint64_t{b[3]} << 32};
}

// Draw number `index` of a sequence that starts at `block`.
inline std::uint64_t draw(std::uint64_t seed, std::uint64_t block, std::uint64_t index, std::uint64_t attempt = 0) {
  const Draws draws = draw_block(seed, block + index / 2, attempt);
  return index % 2 == 0 ? draws.first : draws.second;
}

}  // namespace gradus::random
