// What follows from A = P L U: systems, inverses, determinants. The derivatives are those of M. Giles, "Collected
// matrix derivative results for forward and reverse mode algorithmic differentiation" (2008).

#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "autograd/observer.hpp"
#include "autograd/record.hpp"
#include "gradus/factory.hpp"
#include "gradus/linalg.hpp"
#include "gradus/ops.hpp"
#include "kernels/lapack.hpp"
#include "linalg/matrices.hpp"
#include "ops/products.hpp"

namespace gradus::linalg {
namespace {

// Calls f.operator()<T>(i, the factors of matrix i, pivots, first pivot that is zero or 0).
template <class F>
void for_each_lu(const char* op, const Tensor& A, const Matrices& size, const F& f) {
  const std::int64_t n = size.rows;
  const Tensor factors = to_columns(A);
  std::vector<int> pivots(static_cast<std::size_t>(n));
  dispatch_floating(op, A.dtype(), [&]<class T>() {
    for (std::int64_t i = 0; i < size.count; ++i) {
      T* const a = data_of<T>(factors) + i * n * n;
      f.template operator()<T>(i, a, pivots.data(), kernels::lu(n, a, pivots.data()));
    }
  });
}

// A^-1 B, both with the same batch dims. A has been checked; B may hold what it likes, as gradients do.
Tensor solved(const char* op, const Tensor& A, const Tensor& B) {
  const Matrices size = sizes_of(A);
  const std::int64_t columns = B.size(-1);
  const Tensor x = to_columns(B);
  for_each_lu(op, A, size, [&]<class T>(std::int64_t i, const T* a, const int* pivots, int zero) {
    if (zero != 0) fail("{}: {} is singular: pivot {} of shape {} is zero", op, subject(A, i), zero - 1, A.shape());
    kernels::lu_solve(size.rows, columns, a, pivots, data_of<T>(x) + i * size.rows * columns);
  });
  return from_columns(x);
}

// A X = B: dB = A^-T dX, dA = -dB X^T.
Tensor solve_matrices(const Tensor& A, const Tensor& B) {
  return record_joint("linalg::solve", solved("linalg::solve", A, B), std::array{A, B},
                      [A = Saved(A)](const Tensor& g, const Tensor& X, Gradients& gradients) {
                        const Tensor by_B = solve(transposed(A), g);
                        if (gradients.wanted(0)) gradients[0] = -matmul(by_B, transposed(X));
                        gradients[1] = by_B;
                      });
}

// The same for batch dims that broadcast.
Tensor solve_broadcast(const Tensor& A, const Tensor& B) {
  const Shape batch = broadcast_shapes("linalg::solve: batch dims", batch_shape(A), batch_shape(B));
  const auto spread = [&batch](const Tensor& x) {
    Shape shape = batch;
    shape.push_back(x.size(-2));
    shape.push_back(x.size(-1));
    return x.shape() == shape ? x : expand(x, shape);
  };
  return solve_matrices(spread(A), spread(B));
}

// (-1)^(i+j) times the determinant of A without row i and column j, for every i and j: slow, but with derivatives.
Tensor cofactors_by_minors(const Tensor& A) {
  const std::int64_t n = A.size(-1);
  const auto without = [n](const Tensor& x, std::int64_t dim, std::int64_t i) {
    return cat({slice(x, dim, 0, i), slice(x, dim, i + 1, n)}, dim);
  };
  std::vector<Tensor> rows;
  for (std::int64_t i = 0; i < n; ++i) {
    std::vector<Tensor> row;
    for (std::int64_t j = 0; j < n; ++j) {
      const Tensor minor = det(without(without(A, -2, i), -1, j));
      row.push_back((i + j) % 2 == 0 ? minor : -minor);
    }
    rows.push_back(stack(row, -1));
  }
  return stack(rows, -2);
}

Tensor outer_dims(const Tensor& x) { return unsqueeze(unsqueeze(x, -1), -1); }

// From A = U diag(s) Vh: det(U) det(Vh) U diag(product of all s_j but s_i) Vh.
Tensor cofactors_by_svd(const Tensor& A) {
  const auto [U, S, Vh] = svd(A);
  const Tensor diagonal = eye(A.size(-1), {.dtype = float64}).to(boolean);
  const Tensor others = prod(where(diagonal, 1.0, unsqueeze(S, -2)), -1);
  return outer_dims(sign(det(U) * det(Vh))) * matmul(scale_columns(U, others), Vh);
}

// The sign that the row exchanges of P bring in.
int exchange_sign(const int* pivots, std::int64_t n) {
  int sign = 1;
  for (std::int64_t i = 0; i < n; ++i) sign = pivots[i] == i + 1 ? sign : -sign;
  return sign;
}

// The matrices of cofactors, given the determinants d: d A^-T where there is an inverse.
Tensor cofactors(const Tensor& A, const Tensor& d) {
  const std::int64_t n = A.size(-1);
  const Tensor matrices = reshape(A, {batch_shape(A).numel(), n, n}), dets = reshape(d, {d.numel()});
  const Tensor is_zero = eq(dets.detach(), 0.0);
  std::vector<std::int64_t> singular, regular;
  for (std::int64_t i = 0; i < d.numel(); ++i)
    (is_zero.data<bool>()[static_cast<std::size_t>(i)] ? singular : regular).push_back(i);
  const auto inverted = [](const Tensor& X, const Tensor& x) { return outer_dims(x) * transposed(inv(X)); };
  if (singular.empty()) return inverted(A, d);
  const Tensor s = tensor(singular), r = tensor(regular);
  const Tensor without_inverse = index_select(matrices, 0, s);
  const Tensor found = cat({grad_enabled ? cofactors_by_minors(without_inverse) : cofactors_by_svd(without_inverse),
                            inverted(index_select(matrices, 0, r), index_select(dets, 0, r))});
  return reshape(index_select(found, 0, argsort(cat({s, r}))), A.shape());
}

}  // namespace

Tensor solve(const Tensor& A, const Tensor& B, const SolveOptions& options) {
  check_product_dtypes("linalg::solve", A, B);
  square_matrices("linalg::solve", A);
  const auto differ = [&](const char* in) {
    fail("linalg::solve: A and B differ in {}: {} and {}", in, A.shape(), B.shape());
  };
  if (!options.left) {
    if (B.dim() < 2) fail("linalg::solve: X A = B needs a matrix B, got shape {}", B.shape());
    if (B.size(-1) != A.size(-1)) differ("columns");
    return transposed(solve_broadcast(transposed(A), transposed(B)));
  }
  const bool vectors = B.dim() == 1 || B.shape() == with_batch(A, {A.size(-1)});
  const Tensor columns = vectors ? unsqueeze(B, -1) : B;
  if (columns.dim() == 0 || columns.size(-2) != A.size(-1)) differ("rows");
  const Tensor X = solve_broadcast(A, columns);
  return vectors ? squeeze(X, -1) : X;
}

Tensor inv(const Tensor& A) {
  const std::int64_t n = square_matrices("linalg::inv", A).rows;
  const Tensor identity = expand(eye(n, {.dtype = A.dtype()}), A.shape());
  return record("linalg::inv", solved("linalg::inv", A, identity), wrt(A, [](const Tensor& g, const Tensor& y) {
                  return -matmul(transposed(y), matmul(g, transposed(y)));
                }));
}

Tensor det(const Tensor& A) {
  const Matrices size = square_matrices("linalg::det", A);
  const std::int64_t n = size.rows;
  Tensor value = make_tensor(batch_shape(A), A.dtype());
  for_each_lu("linalg::det", A, size, [&]<class T>(std::int64_t i, const T* a, const int* pivots, int) {
    T product = static_cast<T>(exchange_sign(pivots, n));
    for (std::int64_t k = 0; k < n; ++k) product *= a[k * (n + 1)];
    data_of<T>(value)[i] = product;
  });
  return record("linalg::det", value,
                wrt(A, [A = Saved(A)](const Tensor& g, const Tensor& y) { return outer_dims(g) * cofactors(A, y); }));
}

Slogdet slogdet(const Tensor& A) {
  const Matrices size = square_matrices("linalg::slogdet", A);
  const std::int64_t n = size.rows;
  Tensor sign = make_tensor(batch_shape(A), A.dtype());
  Tensor logabsdet = make_tensor(batch_shape(A), A.dtype());
  for_each_lu("linalg::slogdet", A, size, [&]<class T>(std::int64_t i, const T* a, const int* pivots, int) {
    T sign_of = static_cast<T>(exchange_sign(pivots, n));
    T sum = 0;
    for (std::int64_t k = 0; k < n; ++k) {
      const T pivot = a[k * (n + 1)];
      sign_of *= static_cast<T>((pivot > 0) - (pivot < 0));
      sum += std::log(std::abs(pivot));
    }
    data_of<T>(sign)[i] = sign_of;
    data_of<T>(logabsdet)[i] = sum;
  });
  note_branches("linalg::slogdet", [&] { return sign; });
  return {sign, record("linalg::slogdet", logabsdet,
                       wrt(A, [A = Saved(A)](const Tensor& g) { return outer_dims(g) * transposed(inv(A)); }))};
}

}  // namespace gradus::linalg
