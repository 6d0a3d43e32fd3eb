// Linear algebra: solving and factorising, through LAPACK.
//
// Every function takes batches: (..., m, n) is many matrices, each handled on its own. Matrices must be finite. Results
// can be differentiated, as often as one likes, unless their comment says otherwise. Names and semantics are those of
// torch.linalg.
#pragma once

#include <optional>

#include "gradus/tensor.hpp"

namespace gradus::linalg {

struct SolveOptions {
  bool left = true;  // A X = B; false: X A = B
};
// The X of A X = B: (..., n, n), (..., n, k) or (..., n) -> as B; batch dims broadcast. X A = B is for matrices B only,
// (..., k, n). Throws if A is singular. B need not be finite.
Tensor solve(const Tensor& A, const Tensor& B, const SolveOptions& options = {});
// A^-1: (..., n, n) -> (..., n, n). Throws if A is singular.
Tensor inv(const Tensor& A);
// The determinant: (..., n, n) -> (...). The derivative holds for singular matrices as well: their cofactors.
Tensor det(const Tensor& A);

struct Slogdet {
  Tensor sign;       // -1, 0 or 1; no derivative
  Tensor logabsdet;  // ln |det A|, -infinity for a singular matrix
};
// The determinant as sign e^logabsdet, which neither overflows nor underflows: (..., n, n) -> (...), (...).
Slogdet slogdet(const Tensor& A);

struct CholeskyOptions {
  bool upper = false;  // return L^T instead, and read the upper triangle of A
};
// The lower triangular L of A = L L^T; reads the lower triangle of A, the other may hold anything: (..., n, n) ->
// (..., n, n). Throws if A is not positive definite.
Tensor cholesky(const Tensor& A, const CholeskyOptions& options = {});

struct QR {
  Tensor Q;  // (..., m, k), orthonormal columns
  Tensor R;  // (..., k, n), upper triangular
};
// A = Q R: (..., m, n), k = min(m, n). The derivative needs the first k columns to be independent.
QR qr(const Tensor& A);

struct Eigh {
  Tensor eigenvalues;   // (..., n), ascending
  Tensor eigenvectors;  // (..., n, n), orthonormal columns, each unique up to its sign
};
// A = V diag(w) V^T of a symmetric matrix, whose lower triangle is read. The derivative of the eigenvectors needs
// distinct eigenvalues, that of the eigenvalues does not.
Eigh eigh(const Tensor& A);
// The eigenvalues alone, ascending: (..., n, n) -> (..., n)
Tensor eigvalsh(const Tensor& A);

struct SvdOptions {
  bool full_matrices = true;  // complete U and Vh to square matrices; what is added has no derivative
};
struct Svd {
  Tensor U;   // (..., m, k), or (..., m, m)
  Tensor S;   // (..., k), descending
  Tensor Vh;  // (..., k, n), or (..., n, n)
};
// A = U diag(S) Vh: (..., m, n), k = min(m, n). The derivative of U and Vh needs distinct singular values, and no zero
// among them unless A is square; that of S does not.
Svd svd(const Tensor& A, const SvdOptions& options = {});
// The singular values alone, descending: (..., m, n) -> (..., k)
Tensor svdvals(const Tensor& A);

struct PinvOptions {
  std::optional<double> atol = {};  // singular values up to max(atol, rtol * the largest) count as 0; default 0
  std::optional<double> rtol = {};  // default: max(m, n) * eps of the dtype, or 0 if atol > 0
};
// The pseudoinverse (Moore, Penrose): (..., m, n) -> (..., n, m). The derivative needs the rank to stay the same
// nearby.
Tensor pinv(const Tensor& A, const PinvOptions& options = {});

struct LstsqOptions {
  // Singular values up to rcond * the largest count as 0. Default: max(m, n) * eps; what is not in (0, 1) means eps.
  std::optional<double> rcond = {};
};
struct Lstsq {
  Tensor solution;         // (..., n, k) or (..., n)
  Tensor residuals;        // |A X - B|^2 of each column, (..., k) or (...); empty unless m > n and the rank is n
  Tensor rank;             // (...), int64, without derivative
  Tensor singular_values;  // (..., min(m, n)), without derivative
};
// The X that minimises |A X - B|, of all those the one of least norm: (..., m, n), (..., m, k) or (..., m).
Lstsq lstsq(const Tensor& A, const Tensor& B, const LstsqOptions& options = {});

}  // namespace gradus::linalg
