#include "gradus/nn/positions.hpp"

#include <cmath>

#include "gradus/factory.hpp"
#include "gradus/ops.hpp"
#include "storage/format.hpp"

namespace gradus::nn {

SinusoidalPositions::SinusoidalPositions(std::int64_t d_model, const SinusoidalPositionsOptions& options)
    : batch_first_(options.batch_first) {
  if (d_model < 1 || options.max_len < 0) {
    fail("SinusoidalPositions: d_model must be at least 1 and max_len at least 0, got {} and {}", d_model,
         options.max_len);
  }
  table_ = zeros({options.max_len, d_model}, {.dtype = float64});
  double* value = table_.data<double>().data();
  for (std::int64_t p = 0; p < options.max_len; ++p) {
    for (std::int64_t j = 0; j < d_model; ++j) {
      const double angle =
          static_cast<double>(p) * std::pow(10000.0, -static_cast<double>(j / 2 * 2) / static_cast<double>(d_model));
      *value++ = j % 2 == 0 ? std::sin(angle) : std::cos(angle);
    }
  }
}

Tensor SinusoidalPositions::forward(const Tensor& x) {
  if ((x.dim() != 2 && x.dim() != 3) || x.size(-1) != table_.size(1)) {
    fail("SinusoidalPositions: the input must be {} {}), or without batch, got {}",
         batch_first_ ? "(batch, positions," : "(positions, batch,", table_.size(1), x.shape());
  }
  if (!is_floating_point(x.dtype())) fail("SinusoidalPositions: a floating dtype is needed, got {}", x.dtype());
  const bool batch_between = x.dim() == 3 && !batch_first_;
  const std::int64_t positions = batch_between ? x.size(0) : x.size(-2);
  if (positions > table_.size(0)) {
    fail("SinusoidalPositions: {} positions, max_len is {}", positions, table_.size(0));
  }
  const Tensor rows = narrow(table_, 0, 0, positions).to(x.dtype());
  return x + (batch_between ? unsqueeze(rows, 1) : rows);
}

Tensor RotaryPositions::forward(const Tensor& x) { return rotary_embedding(x, options_); }

}  // namespace gradus::nn
