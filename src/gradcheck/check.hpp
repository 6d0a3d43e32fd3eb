// The comparison itself: a subject's derivatives from the tape against those from differences.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "gradcheck/numeric.hpp"
#include "gradcheck/subject.hpp"
#include "gradus/gradcheck.hpp"

namespace gradus::check {

struct Plan {
  double rtol, atol;
  bool fast = false;
  double confidence = 0.999999;
  std::int64_t max_rows = 64;
  std::uint64_t seed = 0;
};

// The plan that options ask for, with the tolerances that belong to a dtype.
Plan plan_of(const GradcheckOptions& options, Dtype dtype);

// The gradients of one cotangent: per variable, row-major.
using Gradient = std::vector<std::vector<double>>;

// The output of one recorded run, ready for as many backward passes as are wanted.
class Recorded {
 public:
  explicit Recorded(const Subject& subject) : Recorded(subject, subject.run()) {}
  Recorded(const Subject& subject, std::vector<Tensor> outputs);
  // Runs the function again if a variable has been written since.
  Gradient gradient(const Cotangent& cotangent);
  std::int64_t count() const { return count_; }  // of output elements
  const std::vector<Tensor>& outputs() const { return outputs_; }

 private:
  std::uint64_t versions() const;

  const Subject& subject_;
  std::vector<Tensor> outputs_;
  std::uint64_t recorded_versions_;
  std::int64_t count_ = 0;
};

// Fills verdict, reason, inputs and notes. `names` are those of the variables.
GradcheckReport compare(const Subject& subject, const std::vector<std::string>& names, const Plan& plan);

// A random sum of all outputs.
Cotangent random_cotangent(std::int64_t count, Generator& generator);

}  // namespace gradus::check
