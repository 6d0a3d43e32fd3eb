#include "train/landscape/weights.hpp"

#include "gradus/autograd.hpp"
#include "gradus/error.hpp"
#include "gradus/ops.hpp"
#include "storage/format.hpp"

namespace gradus::train {

void check_shapes(const char* op, const Weights& parameters, const Weights& others) {
  if (parameters.size() != others.size()) {
    throw Error(
        formatted("{}: a tensor for each of {} parameters is needed: {}", op, parameters.size(), others.size()));
  }
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (parameters[i].shape() == others[i].shape()) continue;
    throw Error(formatted("{}: tensor {} must have its parameter's shape {}: {}", op, i, parameters[i].shape(),
                          others[i].shape()));
  }
}

Weights copy_of(const Weights& weights) {
  Weights copy;
  for (const Tensor& weight : weights) copy.push_back(weight.detach().clone());
  return copy;
}

Excursion::Excursion(nn::Module& model) : Excursion(model, copy_of(model.parameters())) {}

Excursion::Excursion(nn::Module& model, Weights center)
    : parameters_(model.parameters()),
      buffers_(model.buffers()),
      saved_parameters_(copy_of(parameters_)),
      saved_buffers_(copy_of(buffers_)),
      center_(std::move(center)) {}

Excursion::~Excursion() {
  const NoGrad no_grad;
  for (std::size_t i = 0; i < parameters_.size(); ++i) parameters_[i].copy_(saved_parameters_[i]);
  restore_buffers();
}

double Excursion::loss_at(const gradus::LossFunction& loss,
                          const std::vector<std::pair<double, const Weights*>>& steps) {
  const NoGrad no_grad;
  restore_buffers();
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    Tensor place = center_[i];
    for (const auto& [share, direction] : steps) place = place + share * (*direction)[i];
    parameters_[i].copy_(place);
  }
  return loss().item();
}

void Excursion::restore_buffers() {
  for (std::size_t i = 0; i < buffers_.size(); ++i) buffers_[i].copy_(saved_buffers_[i]);
}

}  // namespace gradus::train
