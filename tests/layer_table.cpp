#include "layer_table.hpp"

#include "gradus/ops.hpp"

using namespace gradus;

const std::vector<LayerRow>& layer_table() {
  static const std::vector<LayerRow> rows{
      {"Linear",
       [] { return nn::Linear(3, 4, {.dtype = float64}); },
       {2, 3},
       {2, 4},
       {{"weight", {4, 3}}, {"bias", {4}}}},
      {"Linear without bias",
       [] { return nn::Linear(3, 4, {.bias = false, .dtype = float64}); },
       {2, 3},
       {2, 4},
       {{"weight", {4, 3}}}},
      {"Linear on a vector",
       [] { return nn::Linear(3, 2, {.dtype = float64}); },
       {3},
       {2},
       {{"weight", {2, 3}}, {"bias", {2}}}},
      {"Linear on batches of batches",
       [] { return nn::Linear(3, 2, {.dtype = float64}); },
       {2, 4, 3},
       {2, 4, 2},
       {{"weight", {2, 3}}, {"bias", {2}}}},
      {"Identity", [] { return nn::Identity(); }, {2, 3}, {2, 3}},
      {"ReLU", [] { return nn::ReLU(); }, {4, 5}, {4, 5}},
      {"Tanh", [] { return nn::Tanh(); }, {4, 5}, {4, 5}},
      {"Sigmoid", [] { return nn::Sigmoid(); }, {4, 5}, {4, 5}},
      {"GELU", [] { return nn::GELU(); }, {4, 5}, {4, 5}},
      {"Softplus", [] { return nn::Softplus(); }, {4, 5}, {4, 5}},
      {"Softmax(1)", [] { return nn::Softmax(1); }, {3, 4}, {3, 4}},
      {"Softmax(0)", [] { return nn::Softmax(0); }, {3, 4}, {3, 4}},
      {"LogSoftmax(-1)", [] { return nn::LogSoftmax(-1); }, {2, 3, 4}, {2, 3, 4}},
      {"Flatten", [] { return nn::Flatten(); }, {2, 3, 4}, {2, 12}},
      {"Flatten(0, 1)", [] { return nn::Flatten(0, 1); }, {2, 3, 4}, {6, 4}},
      {"Sequential",
       [] {
         return nn::Sequential(
             nn::Linear(3, 5, {.dtype = float64}), nn::Tanh(), [](const Tensor& x) { return x * 2.0; },
             nn::Sequential(nn::Linear(5, 2, {.bias = false, .dtype = float64}), sigmoid));
       },
       {4, 3},
       {4, 2},
       {{"0.weight", {5, 3}}, {"0.bias", {5}}, {"3.0.weight", {2, 5}}}},
      {"Sequential of nothing", [] { return nn::Sequential(); }, {2, 3}, {2, 3}},
  };
  return rows;
}
