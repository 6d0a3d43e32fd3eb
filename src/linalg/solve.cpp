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

// A^-1 B, both with the same batch dims.
Tensor solved(const char* op, const Tensor& A, const Tensor& B) {
  const Matrices size = square_matrices(op, A);
  const std::int64_t columns = matrices(op, B).cols;
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

// (-1)^(i+j) times the determinant of A without row i and column j, for every i and j.
Tensor cofactors(const Tensor& A) {
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

bool any_zero(const Tensor& x) { return sum(eq(x, 0.0)).item<std::int64_t>() > 0; }

// The sign that the row exchanges of P bring in.
int exchange_sign(const int* pivots, std::int64_t n) {
  int sign = 1;
  for (std::int64_t i = 0; i < n; ++i) sign = pivots[i] == i + 1 ? sign : -sign;
  return sign;
}

Tensor outer_dims(const Tensor& x) { return unsqueeze(unsqueeze(x, -1), -1); }

}  // namespace

Tensor solve(const Tensor& A, const Tensor& B, const SolveOptions& options) {
  check_product_dtypes("linalg::solve", A, B);
  if (!options.left) {
    if (B.dim() < 2) fail("linalg::solve: X A = B needs a matrix B, got shape {}", B.shape());
    return transposed(solve(transposed(A), transposed(B)));
  }
  square_matrices("linalg::solve", A);
  Shape vectors = batch_shape(A);
  vectors.push_back(A.size(-1));
  if (B.dim() == 1 || B.shape() == vectors) return squeeze(solve(A, unsqueeze(B, -1)), -1);
  if (B.dim() == 0 || B.size(-2) != A.size(-1)) {
    fail("linalg::solve: A and B differ in rows: {} and {}", A.shape(), B.shape());
  }
  const Shape batch = broadcast_shapes("linalg::solve: batch dims", batch_shape(A), batch_shape(B));
  const auto spread = [&batch](const Tensor& x) {
    Shape shape = batch;
    shape.push_back(x.size(-2));
    shape.push_back(x.size(-1));
    return x.shape() == shape ? x : expand(x, shape);
  };
  return solve_matrices(spread(A), spread(B));
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
  // The matrix of cofactors is det(A) A^-T, where there is an inverse.
  return record("linalg::det", value, wrt(A, [A = Saved(A)](const Tensor& g, const Tensor& y) {
                  if (any_zero(y)) return outer_dims(g) * cofactors(A);
                  return outer_dims(g * y) * transposed(inv(A));
                }));
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
