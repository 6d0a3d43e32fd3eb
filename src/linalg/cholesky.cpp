// The derivative: I. Murray, "Differentiation of the Cholesky decomposition" (2016); Giles (2008).

#include "autograd/record.hpp"
#include "gradus/linalg.hpp"
#include "gradus/ops.hpp"
#include "kernels/lapack.hpp"
#include "linalg/matrices.hpp"

namespace gradus::linalg {
namespace {

// Of what is not read, nothing is asked, either: it may be NaN.
Tensor factorised(const Tensor& A, bool upper) {
  check_square("linalg::cholesky", A);
  const Tensor read = upper ? triu(A.detach()) : tril(A.detach());
  const Matrices size = square_matrices("linalg::cholesky", read);
  const std::int64_t n = size.rows;
  const Tensor columns = to_columns(upper ? transposed(read) : read);
  dispatch_floating("linalg::cholesky", A.dtype(), [&]<class T>() {
    for (std::int64_t i = 0; i < size.count; ++i) {
      if (const int order = kernels::cholesky(n, data_of<T>(columns) + i * n * n); order != 0) {
        fail("linalg::cholesky: {} is not positive definite: leading minor {} of shape {}", subject(A, i), order,
             A.shape());
      }
    }
  });
  return tril(from_columns(columns));
}

}  // namespace

Tensor cholesky(const Tensor& A, const CholeskyOptions& options) {
  // A = L L^T: dA = 1/2 L^-T mirrored_lower(L^T dL) L^-1, symmetric.
  const Tensor L =
      record("linalg::cholesky", factorised(A, options.upper), wrt(A, [](const Tensor& g, const Tensor& y) {
               const Tensor upper = transposed(y);
               const Tensor middle = 0.5 * mirrored_lower(matmul(upper, g));
               return solve(upper, transposed(solve(upper, middle)));
             }));
  return options.upper ? transposed(L) : L;
}

}  // namespace gradus::linalg
