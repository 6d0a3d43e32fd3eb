#include "gradus/optim/joint.hpp"

#include "storage/format.hpp"

namespace gradus::optim::detail {

void refuse_plain_step(const char* rule) {
  fail("{}: step() needs a closure: it evaluates the loss as often as it needs", rule);
}

void refuse_groups(const char* rule, std::int64_t count) {
  fail("{}: moves all parameters as one group, got {} groups", rule, count);
}

void check_parameters(const char* rule, const Optimizer& optimizer) {
  if (optimizer.group_count() != 1) refuse_groups(rule, optimizer.group_count());
  const std::vector<Tensor> params = optimizer.parameters();
  for (const Tensor& param : params) {
    if (param.dtype() == params[0].dtype()) continue;
    fail("{}: all parameters must have one dtype, got {} and {}", rule, params[0].dtype(), param.dtype());
  }
}

}  // namespace gradus::optim::detail
