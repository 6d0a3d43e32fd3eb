#include "gradus/optim/sam.hpp"

#include <cmath>
#include <limits>

#include "gradus/autograd.hpp"
#include "nn/gradients.hpp"
#include "optim/whole.hpp"

namespace gradus::optim {

SAM::SAM(Optimizer& optimizer, const SAMOptions& options) : optimizer_(optimizer), options_(options) {
  check_not_negative("SAM", "rho", options.rho);
}

Tensor SAM::step(Closure closure) {
  const auto evaluate = [&] {
    EnableGrad guard;  // the caller may record nothing
    return closure();
  };
  Tensor loss = evaluate();
  first_step();
  try {
    if (!before_.empty()) evaluate();
    second_step();
  } catch (...) {
    come_back();
    throw;
  }
  return loss;
}

void SAM::first_step() {
  if (climbed_) fail("SAM: first_step() twice without second_step() in between");
  NoGrad guard;
  const double norm = gradient_norm();
  const bool is_finite = std::isfinite(norm);
  if (!is_finite && optimizer_.nonfinite() == NonFinite::allow) fail("SAM: the norm of the gradients is {}", norm);
  climbed_ = true;
  const double scale = options_.rho / norm;
  // A slope that is nothing, or next to it, has no direction.
  if (!is_finite || !(scale <= std::numeric_limits<float>::max())) return;
  for (Tensor& param : optimizer_.parameters()) {
    const Tensor g = param.grad();
    if (!g.defined()) continue;
    before_.emplace_back(param, param.detach().clone());
    param.add_(options_.adaptive ? g * square(param) : g, scale);
  }
}

void SAM::second_step() {
  if (!climbed_) fail("SAM: second_step() without first_step() before it");
  come_back();
  optimizer_.step();
}

double SAM::gradient_norm() const {
  std::vector<Tensor> slopes;
  for (const Tensor& param : optimizer_.parameters()) {
    const Tensor g = param.grad();
    if (g.defined()) slopes.push_back((options_.adaptive ? g * param : g).contiguous());
  }
  return total_norm(slopes);
}

// By a copy: p + e - e is not p.
void SAM::come_back() {
  NoGrad guard;
  for (auto& [param, values] : before_) param.copy_(values);
  before_.clear();
  climbed_ = false;
}

}  // namespace gradus::optim
