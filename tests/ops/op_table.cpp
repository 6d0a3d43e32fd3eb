#include "ops/op_table.hpp"

#include <cmath>
#include <iterator>
#include <numeric>
#include <random>
#include <sstream>

namespace gradus::test {

double Args::number(const std::string& name) const { return values_.at(name).at(0); }

double Args::number(const std::string& name, double otherwise) const { return has(name) ? number(name) : otherwise; }

std::int64_t Args::integer(const std::string& name) const { return static_cast<std::int64_t>(number(name)); }

std::int64_t Args::integer(const std::string& name, std::int64_t otherwise) const {
  return has(name) ? integer(name) : otherwise;
}

std::optional<double> Args::maybe_number(const std::string& name) const {
  return has(name) ? std::optional(number(name)) : std::nullopt;
}

std::optional<std::int64_t> Args::maybe_integer(const std::string& name) const {
  return has(name) ? std::optional(integer(name)) : std::nullopt;
}

Shape Args::shape(const std::string& name) const {
  Shape shape;
  if (has(name)) {
    for (double size : values_.at(name)) shape.push_back(static_cast<std::int64_t>(size));
  }
  return shape;
}

Dims Args::dims() const {
  Dims dims;
  for (std::int64_t dim : shape("dims")) dims.push_back(dim);
  return dims;
}

ReduceOptions Args::reduce() const { return {.keepdim = integer("keepdim", 0) != 0}; }

Reduction Args::reduction() const {
  constexpr Reduction all[] = {Reduction::none, Reduction::mean, Reduction::sum, Reduction::batchmean};
  return all[integer("reduction", 1)];
}

std::string Args::to_string() const {
  std::ostringstream out;
  for (const auto& [name, values] : values_) {
    out << name << '=';
    for (double value : values) out << value << ' ';
  }
  return out.str();
}

const std::vector<Row>& op_table() {
  static const std::vector<Row> table = [] {
    std::vector<Row> rows;
    for (auto family : {arithmetic_rows,      operator_rows,    comparison_rows, pointwise_rows,     function_rows,
                        activation_rows,      reduction_rows,   statistics_rows, sorting_rows,       product_rows,
                        einsum_rows,          indexing_rows,    rearrange_rows,  view_rows,          loss_rows,
                        regression_loss_rows, margin_loss_rows, linalg_rows,     normalisation_rows, dropout_rows,
                        convolution_rows,     recurrent_rows}) {
      std::vector<Row> more = family();
      std::move(more.begin(), more.end(), std::back_inserter(rows));
    }
    return rows;
  }();
  return table;
}

namespace {

double uniform(std::mt19937_64& random) { return static_cast<double>(random() >> 11) * 0x1p-53; }

double on_grid(double value) { return std::round(value * 4096) / 4096; }

Tensor fill(const Input& input, std::size_t position, Dtype dtype) {
  std::mt19937_64 random(17 * position + static_cast<std::uint64_t>(input.shape.numel()));
  const auto count = static_cast<std::size_t>(input.shape.numel());
  std::vector<double> values(count);
  std::vector<double> order(count);
  std::iota(order.begin(), order.end(), 0.0);
  for (std::size_t i = count; i > 1; --i) std::swap(order[i - 1], order[random() % i]);
  for (std::size_t i = 0; i < count; ++i) {
    switch (input.fill) {
      case Fill::normal:
        values[i] = 1.3 * (uniform(random) + uniform(random) + uniform(random) - 1.5);
        break;
      case Fill::positive:
        values[i] = 0.25 + 2 * uniform(random);
        break;
      case Fill::signed_:
        values[i] = (random() & 1 ? 1 : -1) * (0.25 + 1.5 * uniform(random));
        break;
      case Fill::fraction:
        values[i] = 1.8 * uniform(random) - 0.9;
        break;
      case Fill::probability:
        values[i] = 0.2 + 0.6 * uniform(random);
        break;
      case Fill::zeros:
        values[i] = static_cast<double>(random() % 5) / 2 - 1;
        break;
      case Fill::distinct:
        values[i] = (order[i] - static_cast<double>(count / 2) + 0.3) / 8 + 0.04 * static_cast<double>(position);
        break;
      case Fill::index:
        values[i] = static_cast<double>(random() % static_cast<std::uint64_t>(input.bound));
        break;
      case Fill::mask:
        values[i] = static_cast<double>(random() & 1);
        break;
    }
    values[i] = on_grid(values[i]);
  }
  Dtype kind = dtype;
  if (input.fill == Fill::index) kind = int64;
  if (input.fill == Fill::mask) kind = boolean;
  return tensor(std::span<const double>(values), input.shape, {.dtype = kind});
}

}  // namespace

Tensors make_inputs(const std::vector<Input>& inputs, Dtype dtype) {
  Tensors made;
  for (const Input& input : inputs) made.push_back(fill(input, made.size(), dtype));
  return made;
}

}  // namespace gradus::test
