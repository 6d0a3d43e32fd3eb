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

using kernels::SvdJob;

Svd decomposed(const char* op, const Tensor& A, SvdJob job) {
  const Matrices size = matrices(op, A);
  const std::int64_t m = size.rows, n = size.cols, k = std::min(m, n);
  const bool full = job == SvdJob::all, vectors = job != SvdJob::values;
  const std::int64_t u_cols = full ? m : k, vh_rows = full ? n : k;
  const auto unit = [&](std::int64_t rows, std::int64_t cols) {
    return expand(eye(rows, cols, {.dtype = A.dtype()}), with_batch(A, {rows, cols})).clone();
  };
  if (k == 0) return {unit(m, u_cols), zeros(with_batch(A, {0}), {.dtype = A.dtype()}), unit(vh_rows, n)};
  const Tensor columns = to_columns(A);
  const Tensor s = make_tensor(with_batch(A, {k}), A.dtype());
  const Tensor u = vectors ? make_tensor(with_batch(A, {u_cols, m}), A.dtype()) : Tensor();
  const Tensor vh = vectors ? make_tensor(with_batch(A, {n, vh_rows}), A.dtype()) : Tensor();
  dispatch_floating(op, A.dtype(), [&]<class T>() {
    for (std::int64_t i = 0; i < size.count; ++i) {
      T* const u_i = vectors ? data_of<T>(u) + i * m * u_cols : nullptr;
      T* const vh_i = vectors ? data_of<T>(vh) + i * vh_rows * n : nullptr;
      if (kernels::svd(m, n, job, data_of<T>(columns) + i * m * n, data_of<T>(s) + i * k, u_i, vh_i) != 0) {
        fail("{}: {} of shape {}: the iteration did not converge", op, subject(A, i), A.shape());
      }
    }
  });
  return vectors ? Svd{from_columns(u), s, from_columns(vh)} : Svd{Tensor(), s, Tensor()};
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

// dA = U diag(dS) Vh
Tensor values_backward(const Tensor& g, const Tensor& U, const Tensor& Vh) { return matmul(scale_columns(U, g), Vh); }

}  // namespace

Svd svd(const Tensor& A, const SvdOptions& options) {
  const Svd raw = decomposed("linalg::svd", A, options.full_matrices ? SvdJob::all : SvdJob::thin);
  const std::int64_t k = raw.S.size(-1);
  const Tensor U = completed(A, raw.U, k);
  const Tensor Vh = transposed(completed(transposed(A), transposed(raw.Vh).contiguous(), k));
  const Tensor S = record("linalg::svd", raw.S,
                          wrt(A, [U = Saved(narrow(U, -1, 0, k)), Vh = Saved(narrow(Vh, -2, 0, k))](const Tensor& g) {
                            return values_backward(g, U, Vh);
                          }));
  return {U, S, Vh};
}

// The vectors cost more than the values: only the derivative, which is made of them, computes them.
Tensor svdvals(const Tensor& A) {
  return record("linalg::svdvals", decomposed("linalg::svdvals", A, SvdJob::values).S,
                wrt(A, [A = Saved(A)](const Tensor& g) {
                  const Svd parts = svd(A, {.full_matrices = false});
                  return values_backward(g, parts.U, parts.Vh);
                }));
}

}  // namespace gradus::linalg
