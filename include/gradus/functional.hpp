// Derivatives of functions: Jacobians and Hessians, their products with vectors, and the curvature of a loss.
//
// A function takes one tensor or a list of tensors; it gets copies that share the memory of the inputs, so these need
// not require a gradient, and neither they nor their grad() are touched. A closure takes nothing: its derivatives are
// those by the given parameters, which it reads by itself. What a function does not depend on has derivative zero.
#pragma once

#include <functional>
#include <vector>

#include "gradus/random.hpp"
#include "gradus/tensor.hpp"

namespace gradus {

using UnaryFunction = std::function<Tensor(const Tensor&)>;
using ListFunction = std::function<Tensor(const std::vector<Tensor>&)>;
using LossFunction = std::function<Tensor()>;

struct FunctionalOptions {
  bool create_graph = false;  // record the result, so that it can be differentiated by the inputs again
};

// v^T J, for v of the result's shape: the gradient of sum(fn(x) * v). Throws if v has another shape or dtype.
Tensor vjp(const UnaryFunction& fn, const Tensor& x, const Tensor& v, const FunctionalOptions& options = {});
std::vector<Tensor> vjp(const ListFunction& fn, const std::vector<Tensor>& inputs, const Tensor& v,
                        const FunctionalOptions& options = {});

// J v, for v of x's shape: the derivative of fn in direction v. Throws if v has another shape or dtype.
Tensor jvp(const UnaryFunction& fn, const Tensor& x, const Tensor& v, const FunctionalOptions& options = {});
Tensor jvp(const ListFunction& fn, const std::vector<Tensor>& inputs, const std::vector<Tensor>& v,
           const FunctionalOptions& options = {});

// J[i..., j...] = d fn(x)[i...] / d x[j...]: shape of the result + shape of x. One backward pass per element of the
// result.
Tensor jacobian(const UnaryFunction& fn, const Tensor& x, const FunctionalOptions& options = {});
std::vector<Tensor> jacobian(const ListFunction& fn, const std::vector<Tensor>& inputs,
                             const FunctionalOptions& options = {});

// H[i..., j...] = d^2 fn(x) / d x[i...] d x[j...]: shape of x twice; for a list, result[a][b] is the block of inputs a
// and b. Throws unless fn returns one element.
Tensor hessian(const UnaryFunction& fn, const Tensor& x, const FunctionalOptions& options = {});
std::vector<std::vector<Tensor>> hessian(const ListFunction& fn, const std::vector<Tensor>& inputs,
                                         const FunctionalOptions& options = {});

// H v, without ever forming H: the gradient of sum(grad fn(x) * v). Throws unless fn returns one element and v has the
// shape and dtype of x.
Tensor hvp(const UnaryFunction& fn, const Tensor& x, const Tensor& v, const FunctionalOptions& options = {});
std::vector<Tensor> hvp(const ListFunction& fn, const std::vector<Tensor>& inputs, const std::vector<Tensor>& v,
                        const FunctionalOptions& options = {});
// By the parameters that the closure reads: those of a network, say. Throws if one does not require a gradient.
std::vector<Tensor> hvp(const LossFunction& loss, const std::vector<Tensor>& parameters, const std::vector<Tensor>& v,
                        const FunctionalOptions& options = {});

// v^T H: the same as hvp, because H is symmetric.
inline Tensor vhp(const UnaryFunction& fn, const Tensor& x, const Tensor& v, const FunctionalOptions& options = {}) {
  return hvp(fn, x, v, options);
}
inline std::vector<Tensor> vhp(const ListFunction& fn, const std::vector<Tensor>& inputs, const std::vector<Tensor>& v,
                               const FunctionalOptions& options = {}) {
  return hvp(fn, inputs, v, options);
}

enum class SpectrumEnd { largest, smallest, magnitude };  // the greatest, the least, the farthest from zero

struct EigenvalueOptions {
  // Stop when the residual |H u - value u| is this small beside |H|. float32 is content with 1e-5: it holds no more.
  double tolerance = 1e-6;
  int max_iterations = 100;  // each costs one Hessian-vector product and keeps one vector of the inputs' size
  SpectrumEnd which = SpectrumEnd::largest;
  Generator* generator = nullptr;  // of the first direction; by default one of its own, always the same
};

struct Eigenvalue {
  double value = 0;
  double error = 0;  // H has an eigenvalue within value +- error: the residual |H u - value u| of a unit vector u
  int iterations = 0;
  bool converged = false;
  std::vector<Tensor> vector;  // u, in the shapes of the inputs

  operator double() const { return value; }
};

// The greatest eigenvalue of the Hessian, its "sharpness" where fn is a loss: gradient descent is stable only for
// learning rates below 2 / sharpness. Lanczos iteration with full reorthogonalisation on Hessian-vector products of one
// recorded gradient. Throws unless fn returns one element, or when a product is not finite.
Eigenvalue largest_hessian_eigenvalue(const UnaryFunction& fn, const Tensor& x, const EigenvalueOptions& options = {});
Eigenvalue largest_hessian_eigenvalue(const ListFunction& fn, const std::vector<Tensor>& inputs,
                                      const EigenvalueOptions& options = {});
Eigenvalue largest_hessian_eigenvalue(const LossFunction& loss, const std::vector<Tensor>& parameters,
                                      const EigenvalueOptions& options = {});

// All eigenvalues of the Hessian, ascending: (n) in float64, n elements of all inputs together. For small problems: it
// forms H and takes about n^3 steps. Throws as largest_hessian_eigenvalue.
Tensor hessian_spectrum(const UnaryFunction& fn, const Tensor& x);
Tensor hessian_spectrum(const ListFunction& fn, const std::vector<Tensor>& inputs);
Tensor hessian_spectrum(const LossFunction& loss, const std::vector<Tensor>& parameters);

}  // namespace gradus
