#include "gradus/random.hpp"
#include "random/bounded.hpp"
#include "random/philox.hpp"
#include "storage/format.hpp"

namespace gradus {

std::uint64_t Generator::next() { return random::draw(seed_, advance(1), 0); }

std::uint64_t Generator::below(std::uint64_t bound) {
  if (bound == 0) fail("Generator::below: the bound must be positive, got 0");
  const std::uint64_t block = advance(1);
  return random::bounded(random::draw(seed_, block, 0), bound, seed_, block, 0);
}

Generator& default_generator() {
  thread_local Generator generator;
  return generator;
}

void manual_seed(std::uint64_t seed) { default_generator().manual_seed(seed); }

}  // namespace gradus
