// What the workloads are: sizes, losses, optimizers and fixed data, the same for every program.
#pragma once
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

namespace bench {

enum class Loss { mse, cross_entropy };
enum class Rule { sgd, momentum, adam, adamw, rmsprop, adagrad, lion };

// A multilayer perceptron with ReLU between its layers.
struct Mlp {
  std::string name;
  std::vector<int64_t> widths;
  int64_t batch;
  Loss loss;
  Rule rule;
  double lr;
};

inline const std::vector<Mlp>& mlps() {
  static const std::vector<Mlp> all = {
      {"xor_2-16-1_b4_sgd", {2, 16, 1}, 4, Loss::mse, Rule::sgd, 0.05},
      {"digits_64-64-10_b32_adam", {64, 64, 10}, 32, Loss::cross_entropy, Rule::adam, 1e-3},
      {"mnist_784-256-128-10_b64_adam", {784, 256, 128, 10}, 64, Loss::cross_entropy, Rule::adam, 1e-3},
      {"deep_64x20layers_b32_adam", std::vector<int64_t>(21, 64), 32, Loss::cross_entropy, Rule::adam, 1e-4},
      {"wide_784-1024-1024-10_b256_sgdm", {784, 1024, 1024, 10}, 256, Loss::cross_entropy, Rule::momentum, 1e-2},
  };
  return all;
}

// Nothing but the optimizer's step, on `count` parameters of `size` elements.
struct StepOnly {
  std::string name;
  Rule rule;
  int64_t count, size;
};

inline constexpr double kStepRate = 1e-3;
inline constexpr int64_t kCopySize = 10'000'000;

inline const std::vector<StepOnly>& steps_only() {
  static const std::vector<StepOnly> all = {
      {"adam_step_only_10M", Rule::adam, 1, 10'000'000},       {"adam_step_only_2000x64", Rule::adam, 2000, 64},
      {"adamw_step_only_10M", Rule::adamw, 1, 10'000'000},     {"sgdm_step_only_10M", Rule::momentum, 1, 10'000'000},
      {"rmsprop_step_only_10M", Rule::rmsprop, 1, 10'000'000}, {"adagrad_step_only_10M", Rule::adagrad, 1, 10'000'000},
      {"lion_step_only_10M", Rule::lion, 1, 10'000'000},
  };
  return all;
}

inline constexpr double kMomentum = 0.9;
inline constexpr int64_t kChainLength = 100;
inline constexpr int64_t kChainSide = 8;
inline constexpr int64_t kSoftmaxSide = 512;
inline constexpr int kCheckSteps = 10;

// SplitMix64: the programs must see the same numbers whatever library they use.
inline std::vector<float> uniform(int64_t count, double low, double high, uint64_t seed) {
  std::vector<float> values(static_cast<std::size_t>(count));
  uint64_t state = seed * 0x9E3779B97F4A7C15ULL;
  for (float& value : values) {
    uint64_t z = (state += 0x9E3779B97F4A7C15ULL);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    z ^= z >> 31;
    value = static_cast<float>(low + (high - low) * static_cast<double>(z >> 40) / static_cast<double>(1 << 24));
  }
  return values;
}

// A convolutional network for images of 28 x 28, much like LeNet: two convolutions of 3 x 3 with ReLU and pooling, and
// two linear layers.
inline constexpr int64_t kImageSide = 28;
inline const Mlp& lenet() {
  static const Mlp all{
      "lenet_28x28_b64_adam", {kImageSide * kImageSide, 10}, 64, Loss::cross_entropy, Rule::adam, 1e-3};
  return all;
}

// Three convolutions of 3 x 3 with batch norm and ReLU on images of 3 x 32 x 32, the mean of each channel, a linear
// layer.
inline constexpr int64_t kColourSide = 32, kColours = 3, kChannels = 32;
inline const Mlp& batch_norm_net() {
  static const Mlp all{"bnconv_3x32x32_b64_sgdm",
                       {kColours * kColourSide * kColourSide, 10},
                       64,
                       Loss::cross_entropy,
                       Rule::momentum,
                       1e-2};
  return all;
}

// A classifier of sequences: an LSTM, and a linear layer on its last output.
inline constexpr int64_t kSequenceSteps = 64, kSequenceInputs = 64, kSequenceHidden = 128;
inline const Mlp& lstm() {
  static const Mlp all{
      "lstm_128_T64_b32_adam", {kSequenceSteps * kSequenceInputs, 10}, 32, Loss::cross_entropy, Rule::adam, 1e-3};
  return all;
}

// A small GPT on characters: token and position embeddings, pre-norm blocks of causal attention and GELU, a linear head
// over all positions.
struct Gpt {
  std::string name;
  int64_t vocabulary, block, batch, width, heads, layers;
  Rule rule;
  double lr;
};
inline const Gpt& chargpt() {
  static const Gpt all{"chargpt_L4_d128_T64_b16_adamw", 80, 64, 16, 128, 4, 4, Rule::adamw, 1e-3};
  return all;
}

// Weights that keep the signal's size through 20 layers of ReLU (He et al. 2015).
inline std::vector<float> initial_weight(int64_t out, int64_t in, uint64_t seed) {
  const double bound = std::sqrt(6.0 / static_cast<double>(in));
  return uniform(out * in, -bound, bound, seed);
}

// The second half of a batch repeats the inputs of the first with other targets: the loss cannot reach zero, so the
// gradients stay of ordinary size however often the step is repeated, and no denormal numbers distort the timing.
inline std::vector<float> inputs(const Mlp& mlp) {
  std::vector<float> x = uniform(mlp.batch * mlp.widths.front(), -1, 1, 1);
  const std::size_t half = x.size() / 2;
  for (std::size_t i = 0; i < half; ++i) x[half + i] = x[i];
  return x;
}

// Characters, and those to be predicted: the second half again has other targets for the same inputs.
inline std::vector<int64_t> characters(const Gpt& gpt, uint64_t seed) {
  std::vector<int64_t> all;
  for (const float u : uniform(gpt.batch * gpt.block, 0, 1, seed))
    all.push_back(static_cast<int64_t>(u * static_cast<float>(gpt.vocabulary)));
  const std::size_t half = all.size() / 2;
  for (std::size_t i = 0; seed == 1 && i < half; ++i) all[half + i] = all[i];
  return all;
}

inline std::vector<float> targets(const Mlp& mlp) { return uniform(mlp.batch * mlp.widths.back(), 0, 1, 2); }

inline std::vector<int64_t> labels(const Mlp& mlp) {
  std::vector<int64_t> y(static_cast<std::size_t>(mlp.batch));
  for (int64_t i = 0; i < mlp.batch; ++i)
    y[static_cast<std::size_t>(i)] = (i + (2 * i >= mlp.batch ? 1 : 0)) % mlp.widths.back();
  return y;
}

}  // namespace bench
