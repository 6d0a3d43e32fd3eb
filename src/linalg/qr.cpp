// Only the derivative of Q is needed: R = Q^T A. It is that of S. Walter and L. Lehmann, "Algorithmic differentiation
// of linear algebra functions with application in optimum experimental design" (2010).

#include <algorithm>

#include "autograd/record.hpp"
#include "gradus/linalg.hpp"
#include "gradus/ops.hpp"
#include "kernels/lapack.hpp"
#include "linalg/matrices.hpp"

namespace gradus::linalg {
namespace {

// (..., m, n) with m >= n -> (..., m, n)
Tensor orthonormalised(const Tensor& A) {
  const Matrices size = matrices("linalg::qr", A);
  const Tensor columns = to_columns(A);
  dispatch_floating("linalg::qr", A.dtype(), [&]<class T>() {
    for (std::int64_t i = 0; i < size.count && size.cols > 0; ++i) {
      kernels::orthonormal_columns(size.rows, size.cols, data_of<T>(columns) + i * size.rows * size.cols);
    }
  });
  return from_columns(columns);
}

Tensor upper_factor(const Tensor& Q, const Tensor& A) { return triu(matmul(transposed(Q), A)); }

}  // namespace

QR qr(const Tensor& A) {
  const Matrices size = matrices("linalg::qr", A);
  // The columns of a wide matrix beyond the first m have no part in Q.
  const Tensor X = size.rows < size.cols ? narrow(A, -1, 0, size.rows) : A;
  // dX = (dQ - Q mirrored_lower(dQ^T Q)) R^-T
  const Tensor Q = record("linalg::qr", orthonormalised(X), wrt(X, [X = Saved(X)](const Tensor& g, const Tensor& y) {
                            const Tensor R = upper_factor(y, X);
                            const Tensor inner = g - matmul(y, mirrored_lower(matmul(transposed(g), y)));
                            return solve(transposed(R), inner, {.left = false});
                          }));
  return {Q, upper_factor(Q, A)};
}

}  // namespace gradus::linalg
