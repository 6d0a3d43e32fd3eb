#include "gradus/optim/joint.hpp"

#include "storage/format.hpp"

namespace gradus::optim::detail {

void refuse_plain_step(const char* rule) {
  fail("{}: step() needs a closure: it evaluates the loss as often as it needs", rule);
}

void refuse_groups(const char* rule, std::int64_t count) {
  fail("{}: moves all parameters as one group, got {} groups", rule, count);
}

}  // namespace gradus::optim::detail
