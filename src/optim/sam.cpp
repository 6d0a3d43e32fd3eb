#include "gradus/optim/sam.hpp"

#include <cmath>

#include "gradus/autograd.hpp"
#include "optim/whole.hpp"

namespace gradus::optim {

SAM::SAM(Optimizer& optimizer, const SAMOptions& options) : optimizer_(optimizer), options_(options) {
  check_not_negative("SAM", "rho", options.rho);
}

Tensor SAM::step(Closure closure) {
  Tensor loss = closure();
  first_step();
  try {
    closure();
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
  if (!std::isfinite(norm)) fail("SAM: the norm of the gradients is {}", norm);
  climbed_ = true;
  if (norm == 0) return;
  const double scale = options_.rho / norm;
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
  double norm = 0;
  for (const Tensor& param : optimizer_.parameters()) {
    const Tensor g = param.grad();
    if (!g.defined()) continue;
    norm = std::hypot(norm, length(options_.adaptive ? g * param : g));
  }
  return norm;
}

// By a copy: p + e - e is not p.
void SAM::come_back() {
  NoGrad guard;
  for (auto& [param, values] : before_) param.copy_(values);
  before_.clear();
  climbed_ = false;
}

}  // namespace gradus::optim
