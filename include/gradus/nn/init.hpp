// Initialisation: how the weights start. Every function writes into its tensor, records nothing and returns the tensor.
#pragma once

#include <cstdint>
#include <optional>

#include "gradus/random.hpp"
#include "gradus/tensor.hpp"

namespace gradus::nn::init {

// What follows a layer, for the gain that makes up for it.
enum class Nonlinearity : std::uint8_t { linear, sigmoid, tanh, relu, leaky_relu, selu };

// fan_in keeps the variance of activations on the way forward, fan_out that of gradients on the way back.
enum class FanMode : std::uint8_t { fan_in, fan_out };

// The factor by which weights must be larger to keep the variance behind a nonlinearity: tanh 5/3, relu sqrt 2,
// leaky_relu sqrt(2 / (1 + param^2)) with param = 0.01, selu 3/4, else 1.
double calculate_gain(Nonlinearity nonlinearity, std::optional<double> param = {});

struct Fans {
  std::int64_t fan_in;   // how many inputs feed one output of a layer with this weight
  std::int64_t fan_out;  // how many outputs one input feeds
};
// (out, in) -> {in, out}; (out, in, kh, kw) -> {in kh kw, out kh kw}. Throws below two dims.
Fans calculate_fans(const Tensor& weight);

// Uniform on [a, b). Throws if a > b.
Tensor uniform_(Tensor tensor, double a = 0, double b = 1, Generator* generator = nullptr);
Tensor normal_(Tensor tensor, double mean = 0, double std = 1, Generator* generator = nullptr);

struct TruncNormalOptions {
  double mean = 0;
  double std = 1;
  double a = -2;  // the least and the largest value: not in units of std
  double b = 2;
  Generator* generator = nullptr;
};
// Normal, given that it falls into [a, b]. Throws unless a < b and std > 0.
Tensor trunc_normal_(Tensor tensor, const TruncNormalOptions& options = {});

Tensor constant_(Tensor tensor, double value);
Tensor ones_(Tensor tensor);
Tensor zeros_(Tensor tensor);
// The identity: a Linear passes on its input. Throws unless the tensor has two dims.
Tensor eye_(Tensor tensor);
// The same for a convolution: output channel i of each group passes on input channel i. Throws unless the weight has 3
// to 5 dims and the groups divide its output channels.
Tensor dirac_(Tensor tensor, std::int64_t groups = 1);

struct XavierOptions {
  double gain = 1;
  Generator* generator = nullptr;
};
// Variance gain^2 2 / (fan_in + fan_out), a compromise between both ways (Glorot and Bengio, 2010).
Tensor xavier_uniform_(Tensor tensor, const XavierOptions& options = {});
Tensor xavier_normal_(Tensor tensor, const XavierOptions& options = {});

struct KaimingOptions {
  double a = 0;  // the negative slope of a leaky_relu
  FanMode mode = FanMode::fan_in;
  Nonlinearity nonlinearity = Nonlinearity::leaky_relu;
  Generator* generator = nullptr;
};
// Variance gain^2 / fan (He et al., 2015).
Tensor kaiming_uniform_(Tensor tensor, const KaimingOptions& options = {});
Tensor kaiming_normal_(Tensor tensor, const KaimingOptions& options = {});

// Variance 1 / fan_in (LeCun et al., 1998), as selu needs it.
Tensor lecun_uniform_(Tensor tensor, Generator* generator = nullptr);
Tensor lecun_normal_(Tensor tensor, Generator* generator = nullptr);

struct OrthogonalOptions {
  double gain = 1;
  Generator* generator = nullptr;
};
// gain Q, seen as a matrix (size(0), all the rest): orthonormal rows, or columns where there are more rows than those;
// uniformly distributed among all such (Saxe et al., 2014). Throws below two dims.
Tensor orthogonal_(Tensor tensor, const OrthogonalOptions& options = {});

struct SparseOptions {
  double std = 0.01;
  Generator* generator = nullptr;
};
// Normal, but a share `sparsity` of each column, rounded up, is 0 (Martens, 2010). Throws unless the tensor has two
// dims and 0 <= sparsity <= 1.
Tensor sparse_(Tensor tensor, double sparsity, const SparseOptions& options = {});

}  // namespace gradus::nn::init
