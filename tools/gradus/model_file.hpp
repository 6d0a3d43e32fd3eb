// A trained model in one safetensors file: weights, scaler, and in its metadata how to build and feed it.
#pragma once

#include <string>

#include <gradus/nn/sequential.hpp>

#include "gradus/data_spec.hpp"

namespace gradus::tool {

struct TrainedModel {
  nn::Sequential model;
  std::string layers;  // as build_model() reads them
  Encoding encoding;
};

void save_model(const TrainedModel& trained, const std::string& path);
// In evaluation mode. Throws if the file is not one that save_model has written.
TrainedModel load_model(const std::string& path);

// The outputs of the model for encoded samples, batch by batch and without a graph.
Tensor outputs_of(nn::Module& model, const Tensor& x);

}  // namespace gradus::tool
