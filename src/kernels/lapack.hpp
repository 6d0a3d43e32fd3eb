// LAPACK: factorisations of one dense column-major matrix, in place. T is float or double.
#pragma once

#include <cstdint>

namespace gradus::kernels {

// A = P L U of (n, n) into a. Returns 0, or the number of the first pivot that is zero, counted from 1.
template <class T>
int lu(std::int64_t n, T* a, int* pivots);

// b = A^-1 b for (n, columns), with what lu() left.
template <class T>
void lu_solve(std::int64_t n, std::int64_t columns, const T* a, const int* pivots, T* b);

// A = L L^T of (n, n): L into the lower triangle. Returns 0, or the order of the first leading minor that is not
// positive.
template <class T>
int cholesky(std::int64_t n, T* a);

// The first min(m, n) columns of the Q of A = Q R, (m, n), into a.
template <class T>
void orthonormal_columns(std::int64_t m, std::int64_t n, T* a);

// Eigenvalues in ascending order and, if asked for, eigenvectors, into a, of the symmetric (n, n) whose lower triangle
// is read. Overwrites a. Returns 0 unless the iteration did not converge.
template <class T>
int symmetric_eigen(std::int64_t n, bool vectors, T* a, T* values);

enum class SvdJob {
  values,  // no vectors: u and vh are not touched
  thin,    // u is (m, k) and vh (k, n)
  all      // u is (m, m) and vh (n, n)
};

// A = U diag(S) Vh of (m, n), k = min(m, n). Overwrites a. Returns 0 unless the iteration did not converge.
template <class T>
int svd(std::int64_t m, std::int64_t n, SvdJob job, T* a, T* s, T* u, T* vh);

// The x of least |x| that minimises |A x - b|, into the first n rows of b, which has max(m, n) of them. Singular values
// up to rcond times the largest count as 0. Returns 0 unless the iteration did not converge.
template <class T>
int least_squares(std::int64_t m, std::int64_t n, std::int64_t columns, T* a, T* b, T* s, T rcond, int* rank);

}  // namespace gradus::kernels
