// A function's result with the inputs to differentiate it by: what all functional derivatives start from.
#pragma once

#include <vector>

#include "gradus/functional.hpp"

namespace gradus::functional {

struct Recorded {
  const char* name;  // of the caller, for errors
  Tensor output;
  std::vector<Tensor> inputs;
};

// Calls the function with leaves of its own or, with create_graph, with views that lead back to the user's tensors.
// Recording must be on.
Recorded run(const char* name, const UnaryFunction& fn, const Tensor& x, bool create_graph);
Recorded run(const char* name, const ListFunction& fn, const std::vector<Tensor>& inputs, bool create_graph);
Recorded run(const char* name, const LossFunction& loss, const std::vector<Tensor>& parameters);

// The derivatives of sum(output * cotangent) by each input; zeros where there is no way from one to the other.
std::vector<Tensor> derivatives(const Recorded& function, const Tensor& cotangent, bool retain_graph,
                                bool create_graph);

// d output / d input for each input: shape of the output + shape of the input.
std::vector<Tensor> jacobian_of(const Recorded& function, bool create_graph);

// Throws unless v has the shape and dtype of `like`.
void check_like(const char* name, const Tensor& v, const Tensor& like);
void check_like(const char* name, const std::vector<Tensor>& v, const std::vector<Tensor>& like);

// The Hessian of a function of one element, as the linear map that it is. The gradient is recorded once; each product
// is one backward pass through it.
class HessianProduct {
 public:
  explicit HessianProduct(Recorded function);

  const std::vector<Tensor>& inputs() const { return gradient_.inputs; }
  const std::vector<Tensor>& gradients() const { return gradients_; }
  std::vector<Tensor> operator()(const std::vector<Tensor>& v, bool create_graph = false) const;
  // The block of rows d^2 f / d inputs[a] d inputs.
  std::vector<Tensor> rows(std::size_t a, bool create_graph) const;

 private:
  std::vector<Tensor> gradients_;
  Recorded gradient_;
};

}  // namespace gradus::functional
