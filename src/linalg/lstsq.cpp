// Pseudoinverse and least squares. The derivative: G. Golub and V. Pereyra, "The differentiation of pseudo-inverses and
// nonlinear least squares problems whose variables separate" (1973).

#include <algorithm>
#include <array>
#include <limits>

#include "autograd/observer.hpp"
#include "autograd/record.hpp"
#include "gradus/autograd.hpp"
#include "gradus/factory.hpp"
#include "gradus/linalg.hpp"
#include "gradus/ops.hpp"
#include "kernels/lapack.hpp"
#include "linalg/matrices.hpp"
#include "ops/copy.hpp"
#include "ops/products.hpp"

namespace gradus::linalg {
namespace {

double eps(Dtype dtype) {
  return dtype == float64 ? std::numeric_limits<double>::epsilon()
                          : static_cast<double>(std::numeric_limits<float>::epsilon());
}

double default_rtol(const Tensor& A) { return eps(A.dtype()) * static_cast<double>(std::max(A.size(-2), A.size(-1))); }

// What LAPACK makes of rcond, so that the derivative counts the same singular values as 0 as the solution.
double effective_rcond(double given, Dtype dtype) {
  const double rcond = dtype == float64 ? given : static_cast<double>(static_cast<float>(given));
  return rcond > 0 && rcond < 1 ? rcond : eps(dtype);
}

// V diag(1/s) U^T, without the singular values that count as 0.
Tensor pseudoinverse(const Tensor& A, const PinvOptions& options) {
  const NoGrad guard;
  if (A.numel() == 0) return zeros(with_batch(A, {A.size(-1), A.size(-2)}), {.dtype = A.dtype()});
  const double rtol = options.rtol.value_or(options.atol.value_or(0) > 0 ? 0.0 : default_rtol(A));
  const Svd parts = svd(A, {.full_matrices = false});
  const Tensor largest = narrow(parts.S, -1, 0, 1);
  const Tensor kept = gt(parts.S, largest * rtol) * gt(parts.S, options.atol.value_or(0));
  note_branches("linalg::pinv", [&] { return kept; });
  return matmul(scale_columns(transposed(parts.Vh), where(kept, 1.0 / parts.S, 0.0)), transposed(parts.U));
}

// What both derivatives are made of: the part of dP that changes A, seen through two products. With P the pseudoinverse
// and dP = G B^T: dA = -P^T G X^T + R (P P^T G)^T + P^T X (G - A^T P^T G)^T, X = P B and R = B - A X.
Tensor golub_pereyra(const Tensor& A, const Tensor& P, const Tensor& g, const Tensor& X, const Tensor& R) {
  const Tensor h = matmul(transposed(P), g);
  return -matmul(h, transposed(X)) + matmul(R, transposed(matmul(P, h))) +
         matmul(matmul(transposed(P), X), transposed(g - matmul(transposed(A), h)));
}

struct Solution {
  Tensor X, rank, singular_values;
};

Solution least_squares(const Tensor& A, const Tensor& B, double rcond) {
  const Matrices size = sizes_of(A);
  const std::int64_t m = size.rows, n = size.cols, k = matrices("linalg::lstsq", B).cols, rows = std::max(m, n);
  const std::int64_t columns = std::max<std::int64_t>(k, 1);  // LAPACK refuses to solve for none
  Solution solution{zeros(with_batch(A, {n, k}), {.dtype = A.dtype()}), zeros(batch_shape(A), {.dtype = int64}),
                    zeros(with_batch(A, {std::min(m, n)}), {.dtype = A.dtype()})};
  if (m == 0 || n == 0) return solution;
  const Tensor a = to_columns(A);
  // LAPACK returns the solution in the memory of B, which must have room for it.
  const Tensor taller = zeros(with_batch(A, {rows, columns}), {.dtype = A.dtype()});
  copy_values(narrow(narrow(taller, -2, 0, m), -1, 0, k), B);
  const Tensor b = to_columns(taller);
  dispatch_floating("linalg::lstsq", A.dtype(), [&]<class T>() {
    for (std::int64_t i = 0; i < size.count; ++i) {
      int rank = 0;
      if (kernels::least_squares(m, n, columns, data_of<T>(a) + i * m * n, data_of<T>(b) + i * rows * columns,
                                 data_of<T>(solution.singular_values) + i * std::min(m, n), static_cast<T>(rcond),
                                 &rank) != 0) {
        fail("linalg::lstsq: {} of shape {}: the iteration did not converge", subject(A, i), A.shape());
      }
      data_of<std::int64_t>(solution.rank)[i] = rank;
    }
  });
  solution.X = narrow(narrow(from_columns(b), -2, 0, n), -1, 0, k).clone();
  return solution;
}

// A and B with the same batch dims.
Lstsq lstsq_matrices(const Tensor& A, const Tensor& B, double rcond) {
  const Solution found = [&] {
    const NoGrad guard;
    return least_squares(A, B, rcond);
  }();
  note_branches("linalg::lstsq", [&] { return found.rank; });
  const Tensor X =
      record_joint("linalg::lstsq", found.X, std::array{A, B},
                   [A = Saved(A), B = Saved(B), rcond](const Tensor& g, const Tensor& y, Gradients& grads) {
                     const Tensor P = pinv(A, {.rtol = rcond});
                     if (grads.wanted(0)) grads[0] = golub_pereyra(A, P, g, y, B.get() - matmul(A, y));
                     if (grads.wanted(1)) grads[1] = matmul(transposed(P), g);
                   });
  const std::int64_t m = A.size(-2), n = A.size(-1);
  const bool full_rank = sum(ne(found.rank, static_cast<double>(n))).item<std::int64_t>() == 0;
  const Tensor residuals = m > n && full_rank ? sum(square(matmul(A, X) - B), -2) : zeros({0}, {.dtype = A.dtype()});
  return {X, residuals, found.rank, found.singular_values};
}

}  // namespace

Tensor pinv(const Tensor& A, const PinvOptions& options) {
  matrices("linalg::pinv", A);
  // The derivative has matrices of as many rows and columns as A has rows.
  if (A.size(-2) > A.size(-1)) return transposed(pinv(transposed(A), options));
  return record("linalg::pinv", pseudoinverse(A, options), wrt(A, [A = Saved(A)](const Tensor& g, const Tensor& P) {
                  const Tensor identity = eye(A.shape()[A.shape().size() - 2], {.dtype = g.dtype()});
                  return golub_pereyra(A, P, g, P, identity - matmul(A, P));
                }));
}

Lstsq lstsq(const Tensor& A, const Tensor& B, const LstsqOptions& options) {
  check_product_dtypes("linalg::lstsq", A, B);
  matrices("linalg::lstsq", A);
  const double rcond = effective_rcond(options.rcond.value_or(default_rtol(A)), A.dtype());
  Shape vectors = batch_shape(A);
  vectors.push_back(A.size(-2));
  if (B.shape() == vectors) {
    const Lstsq found = lstsq(A, unsqueeze(B, -1), {.rcond = rcond});
    const Tensor& r = found.residuals;
    return {squeeze(found.solution, -1), r.dim() == A.dim() - 1 && r.numel() > 0 ? squeeze(r, -1) : r, found.rank,
            found.singular_values};
  }
  if (B.dim() != A.dim() || B.size(-2) != A.size(-2) || batch_shape(A) != batch_shape(B)) {
    fail("linalg::lstsq: A and B must agree in batch dims and rows: {} and {}", A.shape(), B.shape());
  }
  return lstsq_matrices(A, B, rcond);
}

}  // namespace gradus::linalg
