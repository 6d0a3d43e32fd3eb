// The derivatives: Giles (2008), section 3.1, made symmetric.

#include "autograd/record.hpp"
#include "gradus/factory.hpp"
#include "gradus/linalg.hpp"
#include "gradus/ops.hpp"
#include "kernels/lapack.hpp"
#include "linalg/matrices.hpp"
#include "linalg/spectrum.hpp"

namespace gradus::linalg {
namespace {

// Without vectors, if they are not asked for.
Eigh decomposed(const char* op, const Tensor& A, bool vectors) {
  const Matrices size = square_matrices(op, A);
  const std::int64_t n = size.rows;
  const Tensor columns = to_columns(A);
  const Tensor values = make_tensor(with_batch(A, {n}), A.dtype());
  dispatch_floating(op, A.dtype(), [&]<class T>() {
    for (std::int64_t i = 0; i < size.count && n > 0; ++i) {
      if (kernels::symmetric_eigen(n, vectors, data_of<T>(columns) + i * n * n, data_of<T>(values) + i * n) != 0) {
        fail("{}: {} of shape {}: the iteration did not converge", op, subject(A, i), A.shape());
      }
    }
  });
  return {values, vectors ? from_columns(columns) : Tensor()};
}

// dA = V sym(V^T dV / (w_j - w_i)) V^T. What the eigenvalues are follows from A and V.
Tensor vectors_backward(const Tensor& g, const Tensor& A, const Tensor& V) {
  const Tensor w = sum(V * matmul(mirrored_lower(A), V), -2);
  const Tensor turn = over_gaps(matmul(transposed(V), g), w);
  return matmul(V, matmul(0.5 * (turn + transposed(turn)), transposed(V)));
}

// dA = V diag(dw) V^T
Tensor values_backward(const Tensor& g, const Tensor& V) { return matmul(scale_columns(V, g), transposed(V)); }

}  // namespace

Eigh eigh(const Tensor& A) {
  const Eigh raw = decomposed("linalg::eigh", A, true);
  const Tensor V =
      record("linalg::eigh", raw.eigenvectors,
             wrt(A, [A = Saved(A)](const Tensor& g, const Tensor& y) { return vectors_backward(g, A, y); }));
  const Tensor w = record("linalg::eigh", raw.eigenvalues,
                          wrt(A, [V = Saved(V)](const Tensor& g) { return values_backward(g, V); }));
  return {w, V};
}

// The vectors cost more than the values: only the derivative, which is made of them, computes them.
Tensor eigvalsh(const Tensor& A) {
  return record("linalg::eigvalsh", decomposed("linalg::eigvalsh", A, false).eigenvalues,
                wrt(A, [A = Saved(A)](const Tensor& g) { return values_backward(g, eigh(A).eigenvectors); }));
}

}  // namespace gradus::linalg
