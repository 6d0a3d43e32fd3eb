// The checker's own trial: functions with a planted wrong derivative, and right ones that are hard to check.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <gradus/factory.hpp>
#include <gradus/gradcheck.hpp>
#include <gradus/random.hpp>

namespace gradus::test {

struct Planted {
  std::string name;
  std::vector<std::string> culprits;  // exactly these, in the order of the forward pass
  std::function<GradcheckReport()> check;
};
const std::vector<Planted>& planted_errors();

struct Hard {
  std::string name;
  std::function<GradcheckReport()> check;
};
const std::vector<Hard>& hard_functions();

// The same values at every call, standard normal, float64 unless told otherwise.
inline Tensor sample(const Shape& shape, std::uint64_t seed, Dtype dtype = float64) {
  Generator generator(seed);
  return randn(shape, {.dtype = dtype, .generator = &generator});
}

}  // namespace gradus::test
