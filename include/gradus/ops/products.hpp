// Products.
#pragma once

#include <string>
#include <vector>

#include "gradus/tensor.hpp"

namespace gradus {

// 1-d @ 1-d: dot product; 2-d @ 2-d: (m, k) x (k, n) -> (m, n); a 1-d operand is a row on the left, a column on the
// right, and its dim vanishes; beyond two dims the leading ones broadcast as batches.
Tensor matmul(const Tensor& a, const Tensor& b);
// x W^T + b: (..., in), (out, in), (out) -> (..., out); bias may be undefined
Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias = {});
// sum of a_i b_i: (n), (n) -> ()
Tensor dot(const Tensor& a, const Tensor& b);
// a_i b_j: (n), (m) -> (n, m)
Tensor outer(const Tensor& a, const Tensor& b);
// (m, n), (n) -> (m)
Tensor mv(const Tensor& mat, const Tensor& vec);
// (batch, m, k), (batch, k, n) -> (batch, m, n)
Tensor bmm(const Tensor& a, const Tensor& b);

struct AddmmOptions {
  double beta = 1;
  double alpha = 1;
};
// beta input + alpha mat1 @ mat2: (m, n) or what expands to it, (m, k), (k, n) -> (m, n). The values of the input are
// not read if beta is 0.
Tensor addmm(const Tensor& input, const Tensor& mat1, const Tensor& mat2, const AddmmOptions& options = {});

// The sum of products that an equation spells out: "ij,jk->ik" is matmul, "bi,bi->b" dots of rows, "ii" a trace. A
// letter missing from the result is summed over; "..." stands for dims that broadcast; without "->" the result has the
// letters that occur once, in alphabetical order. Operands are multiplied from left to right. Where nothing is to be
// multiplied or summed ("ij->ji") the result is a view.
Tensor einsum(const std::string& equation, const std::vector<Tensor>& operands);

}  // namespace gradus
