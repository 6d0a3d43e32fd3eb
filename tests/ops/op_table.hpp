// The op table: one row per function that include/gradus/ops declares. A row says how to call the op and on what; every
// generic check (checks.hpp, op_table_test.cpp) and the comparison with PyTorch (op_reference_test.cpp) follow from it.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include <gradus/factory.hpp>
#include <gradus/ops.hpp>

namespace gradus::test {

using Tensors = std::vector<Tensor>;

// The arguments of a call that are not tensors: name -> numbers. A flag is 0 or 1, a single number a list of one.
class Args {
 public:
  Args() = default;
  Args(std::initializer_list<std::pair<const std::string, std::vector<double>>> values) : values_(values) {}
  explicit Args(std::map<std::string, std::vector<double>> values) : values_(std::move(values)) {}

  bool has(const std::string& name) const { return values_.contains(name); }
  double number(const std::string& name, double otherwise) const;
  double number(const std::string& name) const;
  std::int64_t integer(const std::string& name) const;
  std::int64_t integer(const std::string& name, std::int64_t otherwise) const;
  std::optional<double> maybe_number(const std::string& name) const;
  std::optional<std::int64_t> maybe_integer(const std::string& name) const;
  Shape shape(const std::string& name) const;
  Dims dims() const;
  ReduceOptions reduce() const;
  Reduction reduction() const;
  std::string to_string() const;

 private:
  std::map<std::string, std::vector<double>> values_;
};

// What an input is filled with. Values are multiples of 2^-12, the same in float32 and float64.
enum class Fill {
  normal,       // about [-2, 2]
  positive,     // [0.25, 2.25)
  signed_,      // positive or its negative: away from a kink or pole at 0
  fraction,     // (-0.9, 0.9)
  probability,  // (0.2, 0.8)
  zeros,        // small integers, many of them 0
  distinct,     // differences of at least 0.02 inside an input and between inputs: no ties
  index,        // int64 in [0, bound)
  mask          // boolean
};

struct Input {
  Fill fill;
  Shape shape;
  std::int64_t bound = 0;
  bool differentiable = true;
  bool optional = false;  // may be an undefined tensor
};

inline Input normal(const Shape& shape) { return {Fill::normal, shape}; }
inline Input positive(const Shape& shape) { return {Fill::positive, shape}; }
inline Input away_from_zero(const Shape& shape) { return {Fill::signed_, shape}; }
inline Input fraction(const Shape& shape) { return {Fill::fraction, shape}; }
inline Input probability(const Shape& shape) { return {Fill::probability, shape}; }
inline Input distinct(const Shape& shape) { return {Fill::distinct, shape}; }
inline Input index(const Shape& shape, std::int64_t bound) { return {Fill::index, shape, bound, false}; }
inline Input mask(const Shape& shape) { return {Fill::mask, shape, 0, false}; }
inline Input constant(Input input) {
  input.differentiable = false;
  return input;
}

inline Input optional_input(Input input) {
  input.optional = true;
  return input;
}

struct Case {
  std::vector<Input> inputs;
  Args args = {};
};

// A wrong call and the one line it must be refused with.
struct BadCall {
  std::function<void()> call;
  std::string message;
};

struct Row {
  std::string name;  // "op" or "op:overload"; another output of the same function is "op.output"
  std::function<Tensor(const Tensors&, const Args&)> call;
  std::vector<Case> cases;
  std::vector<BadCall> bad_calls = {};
  bool elementwise = false;          // works on any shape: empty and 0-d ones are tried too
  bool broadcasts = false;           // the inputs of the first case are tried with every kind of broadcasting
  bool differentiable = true;        // false for comparisons, indices, ...
  std::string no_second_order = {};  // why the second derivative is not checked; empty: it is
  std::function<Tensor(const Tensors&, const Args&)> method = {};              // the same as a member function
  std::function<Tensor&(Tensor&, const Tensors&, const Args&)> in_place = {};  // the same, written into the first input

  std::string op() const { return name.substr(0, name.find_first_of(":.")); }
  bool is_further_output() const { return name.find('.') != std::string::npos; }
};

const std::vector<Row>& op_table();

// The families, each in its own file.
std::vector<Row> arithmetic_rows();
std::vector<Row> operator_rows();
std::vector<Row> comparison_rows();
std::vector<Row> pointwise_rows();
std::vector<Row> function_rows();
std::vector<Row> activation_rows();
std::vector<Row> reduction_rows();
std::vector<Row> statistics_rows();
std::vector<Row> sorting_rows();
std::vector<Row> product_rows();
std::vector<Row> convolution_rows();
std::vector<Row> indexing_rows();
std::vector<Row> view_rows();
std::vector<Row> loss_rows();
std::vector<Row> regression_loss_rows();
std::vector<Row> margin_loss_rows();
std::vector<Row> einsum_rows();
std::vector<Row> rearrange_rows();
std::vector<Row> linalg_rows();
std::vector<Row> normalisation_rows();
std::vector<Row> dropout_rows();
std::vector<Row> recurrent_rows();

// The inputs of a case, the same at every call; floating ones have the dtype asked for.
Tensors make_inputs(const std::vector<Input>& inputs, Dtype dtype);

}  // namespace gradus::test
