// The derivatives: J. Townsend, "Differentiating the singular value decomposition" (2016). U and V are each a function
// of A alone: the squares of the singular values follow from A and either of them.

#include <algorithm>

#include "autograd/record.hpp"
#include "gradus/factory.hpp"
#include "gradus/linalg.hpp"
#include "gradus/ops.hpp"
#include "kernels/lapack.hpp"
#include "linalg/matrices.hpp"
#include "linalg/spectrum.hpp"

namespace gradus::linalg {
namespace {

Svd decomposed(const char* op, const Tensor& A, bool full) {
  const Matrices size = matrices(op, A);
  const std::int64_t m = size.rows, n = size.cols, k = std::min(m, n);
  const std::int64_t u_cols = full ? m : k, vh_rows = full ? n : k;
  const auto unit = [&](std::int64_t rows, std::int64_t cols) {
    return expand(eye(rows, cols, {.dtype = A.dtype()}), with_batch(A, {rows, cols})).clone();
  };
  if (k == 0) return {unit(m, u_cols), zeros(with_batch(A, {0}), {.dtype = A.dtype()}), unit(vh_rows, n)};
  const Tensor columns = to_columns(A);
  const Tensor s = make_tensor(with_batch(A, {k}), A.dtype());
  const Tensor u = make_tensor(with_batch(A, {u_cols, m}), A.dtype());
  const Tensor vh = make_tensor(with_batch(A, {n, vh_rows}), A.dtype());
  dispatch_floating(op, A.dtype(), [&]<class T>() {
    for (std::int64_t i = 0; i < size.count; ++i) {
      if (kernels::svd(m, n, full, data_of<T>(columns) + i * m * n, data_of<T>(s) + i * k,
                       data_of<T>(u) + i * m * u_cols, data_of<T>(vh) + i * vh_rows * n) != 0) {
        fail("{}: {} of shape {}: the iteration did not converge", op, subject(A, i), A.shape());
      }
    }
  });
  return {from_columns(u), s, from_columns(vh)};
}

// With B = U^T A = S V^T: dA = (U (U^T dU - dU^T U) / (s_j^2 - s_i^2) + (I - U U^T) dU S^-2) B.
Tensor left_backward(const Tensor& g, const Tensor& A, const Tensor& U) {
  const Tensor B = matmul(transposed(U), A);
  const Tensor squares = sum(square(B), -1);
  const Tensor turn = matmul(transposed(U), g);
  Tensor inner = matmul(U, over_gaps(turn - transposed(turn), squares));
  if (U.size(-2) > U.size(-1)) inner = inner + (g - matmul(U, turn)) / unsqueeze(squares, -2);
  return matmul(inner, B);
}

// The k left singular vectors that have a derivative. The right ones are the left ones of A^T.
Tensor left_vectors(const Tensor& A, const Tensor& value) {
  return record("linalg::svd", value,
                wrt(A, [A = Saved(A)](const Tensor& g, const Tensor& y) { return left_backward(g, A, y); }));
}

// Which vectors complete the others to a basis is arbitrary.
Tensor without_derivative(const Tensor& A, const Tensor& value) {
  return record("linalg::svd", value, wrt(A, [shape = A.shape()](const Tensor& g) {
                  if (sum(ne(g, 0.0)).item<std::int64_t>() > 0) {
                    fail("linalg::svd: the vectors that .full_matrices adds have no derivative: shape {}", shape);
                  }
                  return zeros(shape, {.dtype = g.dtype()});
                }));
}

// The columns of `all`, the first k with their derivative.
Tensor completed(const Tensor& A, const Tensor& all, std::int64_t k) {
  const std::int64_t extra = all.size(-1) - k;
  if (extra == 0) return left_vectors(A, all);
  const Tensor first = left_vectors(A, narrow(all, -1, 0, k).clone());
  return cat({first, without_derivative(A, narrow(all, -1, k, extra).clone())}, -1);
}

Svd svd_named(const char* op, const Tensor& A, bool full) {
  const Svd raw = decomposed(op, A, full);
  const std::int64_t k = raw.S.size(-1);
  const Tensor U = completed(A, raw.U, k);
  const Tensor Vh = transposed(completed(transposed(A), transposed(raw.Vh).contiguous(), k));
  // dA = U diag(dS) Vh
  const Tensor S = record("linalg::svd", raw.S,
                          wrt(A, [U = Saved(narrow(U, -1, 0, k)), Vh = Saved(narrow(Vh, -2, 0, k))](const Tensor& g) {
                            return matmul(scale_columns(U, g), Vh);
                          }));
  return {U, S, Vh};
}

}  // namespace

Svd svd(const Tensor& A, const SvdOptions& options) { return svd_named("linalg::svd", A, options.full_matrices); }
Tensor svdvals(const Tensor& A) { return svd_named("linalg::svdvals", A, false).S; }

}  // namespace gradus::linalg
