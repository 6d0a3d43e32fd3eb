// Principal components of a path of training.

#include <algorithm>
#include <cmath>

#include "gradus/autograd.hpp"
#include "gradus/error.hpp"
#include "gradus/factory.hpp"
#include "gradus/linalg.hpp"
#include "gradus/ops.hpp"
#include "gradus/random.hpp"
#include "storage/format.hpp"
#include "train/landscape/weights.hpp"

namespace gradus::train {
namespace {

// All weights as one row of float64.
Tensor flat(const Weights& weights) {
  std::vector<Tensor> rows;
  for (const Tensor& weight : weights) rows.push_back(weight.detach().to(float64).reshape({-1}));
  return cat(rows, 0);
}

Weights shaped_as(const Weights& model, const Tensor& row) {
  Weights result;
  std::int64_t at = 0;
  for (const Tensor& weight : model) {
    result.push_back(row.narrow(0, at, weight.numel()).reshape(weight.shape()).to(weight.dtype()).clone());
    at += weight.numel();
  }
  return result;
}

Tensor unit(const Tensor& row) { return row / norm(row); }

// A path along a line has one component only: any direction across it completes the plane.
Tensor across(const Tensor& first) {
  Generator generator(0);
  const Tensor random = randn(first.shape(), {.dtype = float64, .generator = &generator});
  return unit(random - sum(random * first) * first);
}

std::vector<double> numbers(const Tensor& t) {
  const Tensor plain = t.contiguous();
  return {plain.data<double>().begin(), plain.data<double>().end()};
}

}  // namespace

void PathRecorder::on_train_begin(Run& run) { snapshots_ = {copy_of(run.model.parameters())}; }
void PathRecorder::on_epoch_end(Run& run) { snapshots_.push_back(copy_of(run.model.parameters())); }

std::shared_ptr<PathRecorder> path_recorder() { return std::make_shared<PathRecorder>(); }

PrincipalPlane principal_plane(const std::vector<Weights>& snapshots) {
  if (snapshots.size() < 3) {
    throw Error(formatted("principal_plane: at least three snapshots are needed: {}", snapshots.size()));
  }
  const NoGrad no_grad;
  std::vector<Tensor> rows;
  for (const Weights& weights : snapshots) {
    check_shapes("principal_plane", snapshots.back(), weights);
    rows.push_back(flat(weights));
  }
  const Tensor differences = stack(rows, 0) - rows.back();
  const Tensor centered = differences - mean(differences, 0);
  // Few snapshots of many weights: the products of snapshots are a small matrix with the same eigenvalues.
  const linalg::Eigh products = linalg::eigh(matmul(centered, centered.t()));
  std::vector<double> variances = numbers(products.eigenvalues);
  std::ranges::reverse(variances);
  const double total = sum(square(centered)).item();
  if (!(total > 0) || !std::isfinite(total)) {
    throw Error(formatted("principal_plane: the snapshots must differ and be finite: variance {}", total));
  }
  const auto component = [&](std::int64_t rank) {
    const std::int64_t column = products.eigenvectors.size(1) - 1 - rank;
    return unit(matmul(centered.t(), products.eigenvectors.select(1, column)));
  };
  const Tensor first = component(0);
  const Tensor second = variances[1] > 1e-12 * variances[0] ? component(1) : across(first);
  PrincipalPlane plane{.center = copy_of(snapshots.back()),
                       .directions = {shaped_as(snapshots.back(), first), shaped_as(snapshots.back(), second)},
                       .shares = {},
                       .x = numbers(matmul(differences, first)),
                       .y = numbers(matmul(differences, second))};
  for (const double variance : variances) plane.shares.push_back(std::max(variance, 0.0) / total);
  return plane;
}

}  // namespace gradus::train
