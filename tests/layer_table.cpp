#include "layer_table.hpp"

#include "gradus/ops.hpp"

using namespace gradus;

namespace {

using Members = std::vector<std::pair<std::string, Shape>>;

Members affine(std::int64_t channels) { return {{"weight", {channels}}, {"bias", {channels}}}; }

// The parameters of one layer and direction of a recurrent network.
Members recurrent(const std::string& suffix, std::int64_t rows, std::int64_t inputs, std::int64_t hidden) {
  return {{"weight_ih" + suffix, {rows, inputs}},
          {"weight_hh" + suffix, {rows, hidden}},
          {"bias_ih" + suffix, {rows}},
          {"bias_hh" + suffix, {rows}}};
}

Members joined(Members members, const Members& more) {
  members.insert(members.end(), more.begin(), more.end());
  return members;
}

Members running(std::int64_t channels) {
  return {{"running_mean", {channels}}, {"running_var", {channels}}, {"num_batches_tracked", {}}};
}

}  // namespace

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
      {"SiLU", [] { return nn::SiLU(); }, {4, 5}, {4, 5}},
      {"Mish", [] { return nn::Mish(); }, {4, 5}, {4, 5}},
      {"Hardsigmoid", [] { return nn::Hardsigmoid(); }, {4, 5}, {4, 5}},
      {"Hardswish", [] { return nn::Hardswish(); }, {4, 5}, {4, 5}},
      {"Softsign", [] { return nn::Softsign(); }, {4, 5}, {4, 5}},
      {"LogSigmoid", [] { return nn::LogSigmoid(); }, {4, 5}, {4, 5}},
      {"LeakyReLU", [] { return nn::LeakyReLU(); }, {4, 5}, {4, 5}},
      {"LeakyReLU(0.3)", [] { return nn::LeakyReLU(0.3); }, {4, 5}, {4, 5}},
      {"ReLU6", [] { return nn::ReLU6(); }, {4, 5}, {4, 5}},
      {"ELU", [] { return nn::ELU(); }, {4, 5}, {4, 5}},
      {"ELU(0.5)", [] { return nn::ELU(0.5); }, {4, 5}, {4, 5}},
      {"CELU", [] { return nn::CELU(); }, {4, 5}, {4, 5}},
      {"CELU(2)", [] { return nn::CELU(2); }, {4, 5}, {4, 5}},
      {"SELU", [] { return nn::SELU(); }, {4, 5}, {4, 5}},
      {"Hardtanh", [] { return nn::Hardtanh(); }, {4, 5}, {4, 5}},
      {"Hardtanh(-0.5, 2)", [] { return nn::Hardtanh(-0.5, 2); }, {4, 5}, {4, 5}},
      {"Threshold(0.1, -1)", [] { return nn::Threshold(0.1, -1); }, {4, 5}, {4, 5}},
      {"PReLU", [] { return nn::PReLU(1, {.dtype = float64}); }, {4, 5}, {4, 5}, {{"weight", {1}}}},
      {"PReLU of channels",
       [] { return nn::PReLU(3, {.init = -0.5, .dtype = float64}); },
       {2, 3, 4},
       {2, 3, 4},
       {{"weight", {3}}}},
      {"GLU", [] { return nn::GLU(); }, {4, 6}, {4, 3}},
      {"GLU(0)", [] { return nn::GLU(0); }, {4, 5}, {2, 5}},
      {"Softmin(1)", [] { return nn::Softmin(1); }, {3, 4}, {3, 4}},
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
      {"Unflatten",
       [] {
         return nn::Unflatten(1, {3, -1});
       },
       {2, 12, 2},
       {2, 3, 4, 2}},
      {"Unflatten(-1)",
       [] {
         return nn::Unflatten(-1, {2, 2});
       },
       {3, 4},
       {3, 2, 2}},
      {"LayerNorm", [] { return nn::LayerNorm({4}, {.dtype = float64}); }, {3, 4}, {3, 4}, affine(4)},
      {"LayerNorm of two dims, without bias",
       [] {
         return nn::LayerNorm({3, 4}, {.eps = 0.1, .bias = false, .dtype = float64});
       },
       {2, 3, 4},
       {2, 3, 4},
       {{"weight", {3, 4}}}},
      {"LayerNorm without weights", [] { return nn::LayerNorm(4, {.elementwise_affine = false}); }, {3, 4}, {3, 4}},
      {"RMSNorm", [] { return nn::RMSNorm(4, {.dtype = float64}); }, {2, 3, 4}, {2, 3, 4}, {{"weight", {4}}}},
      {"RMSNorm without weight",
       [] {
         return nn::RMSNorm({3, 4}, {.eps = 0.1, .elementwise_affine = false});
       },
       {2, 3, 4},
       {2, 3, 4}},
      {"GroupNorm", [] { return nn::GroupNorm(2, 4, {.dtype = float64}); }, {2, 4, 3}, {2, 4, 3}, affine(4)},
      {"GroupNorm without weights", [] { return nn::GroupNorm(3, 3, {.affine = false}); }, {2, 3, 2, 2}, {2, 3, 2, 2}},
      {"BatchNorm1d", [] { return nn::BatchNorm1d(3, {.dtype = float64}); }, {5, 3}, {5, 3}, affine(3), running(3)},
      {"BatchNorm1d of sequences",
       [] { return nn::BatchNorm1d(3, {.momentum = std::nullopt, .dtype = float64}); },
       {2, 3, 4},
       {2, 3, 4},
       affine(3),
       running(3)},
      {"BatchNorm2d",
       [] { return nn::BatchNorm2d(3, {.dtype = float64}); },
       {2, 3, 2, 3},
       {2, 3, 2, 3},
       affine(3),
       running(3)},
      {"BatchNorm2d without weights",
       [] { return nn::BatchNorm2d(3, {.affine = false, .dtype = float64}); },
       {2, 3, 2, 3},
       {2, 3, 2, 3},
       {},
       running(3)},
      {"BatchNorm2d without running statistics",
       [] { return nn::BatchNorm2d(3, {.track_running_stats = false, .dtype = float64}); },
       {2, 3, 2, 3},
       {2, 3, 2, 3},
       affine(3)},
      {"InstanceNorm1d", [] { return nn::InstanceNorm1d(3); }, {2, 3, 4}, {2, 3, 4}},
      {"InstanceNorm1d without batch", [] { return nn::InstanceNorm1d(3); }, {3, 4}, {3, 4}},
      {"InstanceNorm2d",
       [] { return nn::InstanceNorm2d(3, {.affine = true, .track_running_stats = true, .dtype = float64}); },
       {2, 3, 2, 3},
       {2, 3, 2, 3},
       affine(3),
       running(3)},
      {"Dropout", [] { return nn::Dropout(0.25); }, {4, 5}, {4, 5}},
      {"Dropout2d", [] { return nn::Dropout2d(); }, {4, 5, 2, 2}, {4, 5, 2, 2}},
      {"Embedding",
       [] { return nn::Embedding(5, 3, {.dtype = float64}); },
       {2, 4},
       {2, 4, 3},
       {{"weight", {5, 3}}},
       {},
       5},
      {"Conv1d",
       [] { return nn::Conv1d(2, 3, 3, {.stride = 2, .padding = 1, .dtype = float64}); },
       {2, 2, 6},
       {2, 3, 3},
       {{"weight", {3, 2, 3}}, {"bias", {3}}}},
      {"Conv2d",
       [] {
         return nn::Conv2d(2, 3, {3, 2}, {.dtype = float64});
       },
       {2, 2, 4, 4},
       {2, 3, 2, 3},
       {{"weight", {3, 2, 3, 2}}, {"bias", {3}}}},
      {"Conv2d in groups, without bias",
       [] { return nn::Conv2d(4, 2, 3, {.stride = 2, .padding = 1, .groups = 2, .bias = false, .dtype = float64}); },
       {1, 4, 5, 4},
       {1, 2, 3, 2},
       {{"weight", {2, 2, 3, 3}}}},
      {"ConvTranspose2d",
       [] { return nn::ConvTranspose2d(4, 2, 2, {.stride = 2, .groups = 2, .dtype = float64}); },
       {1, 4, 2, 3},
       {1, 2, 4, 6},
       {{"weight", {4, 1, 2, 2}}, {"bias", {2}}}},
      {"MaxPool1d", [] { return nn::MaxPool1d(2); }, {2, 3, 6}, {2, 3, 3}},
      {"MaxPool2d", [] { return nn::MaxPool2d(2, {.padding = 1}); }, {1, 2, 3, 5}, {1, 2, 2, 3}},
      {"AvgPool1d", [] { return nn::AvgPool1d(3, {.stride = 1}); }, {2, 3, 6}, {2, 3, 4}},
      {"AvgPool2d",
       [] {
         return nn::AvgPool2d({2, 1});
       },
       {2, 3, 4, 4},
       {2, 3, 2, 4}},
      {"AdaptiveAvgPool1d", [] { return nn::AdaptiveAvgPool1d(2); }, {2, 3, 5}, {2, 3, 2}},
      {"AdaptiveAvgPool2d", [] { return nn::AdaptiveAvgPool2d(1); }, {2, 3, 4, 4}, {2, 3, 1, 1}},
      {"RNN", [] { return nn::RNN(3, 2, {.dtype = float64}); }, {4, 2, 3}, {4, 2, 2}, recurrent("_l0", 2, 3, 2)},
      {"RNN relu, two layers",
       [] { return nn::RNN(3, 2, {.num_layers = 2, .nonlinearity = "relu", .batch_first = true, .dtype = float64}); },
       {2, 4, 3},
       {2, 4, 2},
       joined(recurrent("_l0", 2, 3, 2), recurrent("_l1", 2, 2, 2))},
      {"LSTM", [] { return nn::LSTM(3, 2, {.dtype = float64}); }, {4, 2, 3}, {4, 2, 2}, recurrent("_l0", 8, 3, 2)},
      {"LSTM, two layers in two directions, with dropout",
       [] { return nn::LSTM(3, 2, {.num_layers = 2, .dropout = 0.5, .bidirectional = true, .dtype = float64}); },
       {3, 2, 3},
       {3, 2, 4},
       joined(joined(recurrent("_l0", 8, 3, 2), recurrent("_l0_reverse", 8, 3, 2)),
              joined(recurrent("_l1", 8, 4, 2), recurrent("_l1_reverse", 8, 4, 2)))},
      {"GRU without batch",
       [] { return nn::GRU(3, 2, {.dtype = float64}); },
       {4, 3},
       {4, 2},
       recurrent("_l0", 6, 3, 2)},
      {"GRU without bias",
       [] { return nn::GRU(3, 2, {.bias = false, .dtype = float64}); },
       {4, 2, 3},
       {4, 2, 2},
       {{"weight_ih_l0", {6, 3}}, {"weight_hh_l0", {6, 2}}}},
      {"RNNCell",
       [] { return nn::RNNCell(3, 2, {.nonlinearity = "relu", .dtype = float64}); },
       {4, 3},
       {4, 2},
       recurrent("", 2, 3, 2)},
      {"LSTMCell", [] { return nn::LSTMCell(3, 2, {.dtype = float64}); }, {4, 3}, {4, 2}, recurrent("", 8, 3, 2)},
      {"GRUCell", [] { return nn::GRUCell(3, 2, {.dtype = float64}); }, {3}, {2}, recurrent("", 6, 3, 2)},
      {"Sequential of nothing", [] { return nn::Sequential(); }, {2, 3}, {2, 3}},
  };
  return rows;
}
