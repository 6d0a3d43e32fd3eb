#include "gradus/optim/newton.hpp"

#include <utility>

#include "functional/recorded.hpp"
#include "gradus/autograd.hpp"
#include "gradus/linalg.hpp"
#include "gradus/ops.hpp"
#include "nn/gradients.hpp"
#include "optim/backtracking.hpp"

namespace gradus::optim {
namespace {

struct Quadratic {
  Downhill here;
  Tensor hessian;  // (n, n)
};

// The blocks of all pairs of parameters, put together.
Tensor assembled(const functional::HessianProduct& hessian) {
  std::vector<Tensor> rows;
  for (std::size_t a = 0; a < hessian.inputs().size(); ++a) {
    const std::int64_t height = hessian.inputs()[a].numel();
    if (height == 0) continue;
    std::vector<Tensor> blocks;
    for (const Tensor& block : hessian.rows(a, false)) {
      blocks.push_back(block.detach().reshape({height, block.numel() / height}));
    }
    rows.push_back(cat(blocks, 1));
  }
  return cat(rows, 0);
}

Quadratic expand(Closure loss, const std::vector<Tensor>& params) {
  EnableGrad guard;
  functional::Recorded recorded = functional::run("Newton", LossFunction(loss), params);
  const Tensor value = recorded.output.detach();
  const functional::HessianProduct hessian(std::move(recorded));
  return {{value, joined(hessian.gradients())}, assembled(hessian)};
}

Tensor direction(const Quadratic& model, const NewtonOptions& o) {
  const linalg::Eigh eigh = linalg::eigh(model.hessian);
  const Tensor curvature = eigh.eigenvalues.abs();
  const Tensor least = clamp(curvature, o.min_curvature * largest(curvature)) + o.damping;
  // Along directions without any curvature the gradient itself is as good as anything.
  const Tensor scale = where(least > 0.0, least, 1.0);
  return -mv(eigh.eigenvectors, mv(eigh.eigenvectors.t(), model.here.gradient) / scale);
}

}  // namespace

void NewtonOptions::validate() const {
  check_backtracking("Newton", *this);
  check_not_negative("Newton", "damping", damping);
  check_share("Newton", "min_curvature", min_curvature);
}

Tensor Newton::move(const std::vector<Tensor>& params, Closure loss, State&, const NewtonOptions& o) {
  const std::vector<Tensor> moved = trainable("Newton", params);
  const Quadratic model = expand(loss, moved);
  check_finite("Newton", model.here);
  check_finite("Newton", "the Hessian has an element that is", largest(model.hessian), model.here.loss);
  backtrack(FlatParameters(moved), loss, model.here, direction(model, o), backtracking_of(o));
  return model.here.loss;
}

}  // namespace gradus::optim
