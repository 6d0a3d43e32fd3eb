// Networks as words: "64,relu,dropout:0.2,10".
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <gradus/nn/sequential.hpp>
#include <gradus/shape.hpp>

namespace gradus::tool {

struct ModelOptions {
  std::string layers;         // if given, all of it, as build_model() reads it
  std::string model = "mlp";  // or conv, linear
  std::string hidden = "64";  // the widths of the layers between: "64,64"
  std::string activation = "relu";
  double dropout = 0;
  std::string norm = "none";  // or batch, layer
};

std::vector<std::string> known_activations();

// The whole network as words: the last layer, of `outputs` features, is added unless it is there.
std::string layers_of(const ModelOptions& options, std::int64_t outputs);

// A number is a linear layer of so many features, "dropout:0.2", "conv:16" or "conv:16:5", "maxpool:2", "avgpool:2",
// "batchnorm", "layernorm", "flatten" and the activations are layers by name. `input` is the shape of one sample; an
// image is flattened before the first linear layer. Throws naming the word that it can't read.
nn::Sequential build_model(const std::string& layers, const Shape& input);

}  // namespace gradus::tool
