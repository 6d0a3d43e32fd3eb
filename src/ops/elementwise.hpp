// Runs a pointwise kernel over tensors of any shape and strides. Nothing here is recorded.
#pragma once

#include <utility>

#include "gradus/tensor.hpp"
#include "kernels/kernels.hpp"

namespace gradus {

Tensor apply(const char* name, kernels::Unary op, const Tensor& x);
Tensor apply(const char* name, kernels::Binary op, const Tensor& a, const Tensor& b);
Tensor apply(const char* name, kernels::Binary op, const Tensor& a, double b);
Tensor apply(const char* name, kernels::Binary op, double a, const Tensor& b);
Tensor apply(const char* name, kernels::Compare op, const Tensor& a, const Tensor& b);
Tensor apply(const char* name, kernels::Compare op, const Tensor& a, double b);
// a + alpha * b
Tensor apply_add_scaled(const char* name, const Tensor& a, const Tensor& b, double alpha);
// condition ? a : b, all of one dtype already
Tensor apply_where(const Tensor& condition, const Tensor& a, const Tensor& b);

// The same, writing into `out`, which is contiguous, of the result's shape and dtype, and may be one of the operands.
void apply_into(const Tensor& out, kernels::Unary op, const Tensor& x);
void apply_into(const Tensor& out, const char* name, kernels::Binary op, const Tensor& a, const Tensor& b);
void apply_into(const Tensor& out, const char* name, kernels::Binary op, const Tensor& a, double b);
void apply_add_scaled_into(const Tensor& out, const char* name, const Tensor& a, const Tensor& b, double alpha);

// Both operands with one dtype: boolean joins int64, both join a floating one; float32 with float64 throws.
std::pair<Tensor, Tensor> promoted(const char* name, const Tensor& a, const Tensor& b);

// A scalar as T; throws where an integer tensor would have to cut off a fraction.
template <class T>
T scalar_as(const char* name, double value);

}  // namespace gradus
