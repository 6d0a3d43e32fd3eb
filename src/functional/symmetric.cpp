#include "functional/symmetric.hpp"

#include <cmath>
#include <cstddef>
#include <limits>

#include "storage/format.hpp"

namespace gradus::functional {
namespace {

constexpr int most_sweeps = 60;  // two or three per eigenvalue are the rule

// The first entry beside the diagonal, from l on, that is as good as zero.
std::size_t end_of_block(const Tridiagonal& t, std::size_t l) {
  std::size_t m = l;
  for (; m + 1 < t.diagonal.size(); ++m) {
    const double scale = std::abs(t.diagonal[m]) + std::abs(t.diagonal[m + 1]);
    if (std::abs(t.beside[m]) <= std::numeric_limits<double>::epsilon() * scale) break;
  }
  return m;
}

// One QL sweep with Wilkinson's shift over rows l to m (Golub and Van Loan, "Matrix Computations", 8.3).
void sweep(Tridiagonal& t, std::size_t l, std::size_t m, std::vector<std::vector<double>>& rows) {
  std::vector<double>& d = t.diagonal;
  std::vector<double>& e = t.beside;
  const double half = (d[l + 1] - d[l]) / (2 * e[l]);
  double g = d[m] - d[l] + e[l] / (half + std::copysign(std::hypot(half, 1), half));
  double s = 1, c = 1, p = 0;
  for (std::size_t i = m; i-- > l;) {
    const double f = s * e[i];
    const double b = c * e[i];
    const double r = std::hypot(f, g);
    if (i + 1 < m) e[i + 1] = r;
    if (r == 0) {  // the block has split
      d[i + 1] -= p;
      return;
    }
    s = f / r;
    c = g / r;
    g = d[i + 1] - p;
    const double q = (d[i] - g) * s + 2 * c * b;
    p = s * q;
    d[i + 1] = g + p;
    g = c * q - b;
    for (std::vector<double>& row : rows) {
      const double right = row[i + 1];
      row[i + 1] = s * row[i] + c * right;
      row[i] = c * row[i] - s * right;
    }
  }
  d[l] -= p;
  e[l] = g;
}

}  // namespace

std::vector<double> eigenvalues(Tridiagonal t, std::vector<std::vector<double>>& rows) {
  const std::size_t n = t.diagonal.size();
  for (std::size_t l = 0; l < n; ++l) {
    std::size_t m = end_of_block(t, l);
    for (int sweeps = 0; m != l; m = end_of_block(t, l)) {
      if (++sweeps > most_sweeps) fail("eigenvalues: no convergence after {} sweeps", most_sweeps);
      sweep(t, l, m, rows);
      if (m < n - 1) t.beside[m] = 0;
    }
  }
  return t.diagonal;
}

Tridiagonal tridiagonal(std::vector<double> matrix, std::size_t n) {
  const auto a = [&](std::size_t i, std::size_t j) -> double& { return matrix[i * n + j]; };
  Tridiagonal t;
  std::vector<double> v(n), w(n);
  for (std::size_t k = 0; k + 1 < n; ++k) {
    t.diagonal.push_back(a(k, k));
    // The reflection I - 2 v v^T that sends what is below the diagonal of column k to its first entry.
    double norm = 0;
    for (std::size_t i = k + 1; i < n; ++i) norm = std::hypot(norm, v[i] = a(i, k));
    const double first = -std::copysign(norm, v[k + 1]);
    t.beside.push_back(first);
    v[k + 1] -= first;
    double length = 0;
    for (std::size_t i = k + 1; i < n; ++i) length = std::hypot(length, v[i]);
    if (length == 0) continue;
    for (std::size_t i = k + 1; i < n; ++i) v[i] /= length;
    // The rest of the matrix, reflected from both sides: A - v w^T - w v^T with w = 2 (A v - (v^T A v) v).
    double vav = 0;
    for (std::size_t i = k + 1; i < n; ++i) {
      w[i] = 0;
      for (std::size_t j = k + 1; j < n; ++j) w[i] += a(i, j) * v[j];
      vav += v[i] * w[i];
    }
    for (std::size_t i = k + 1; i < n; ++i) w[i] = 2 * (w[i] - vav * v[i]);
    for (std::size_t i = k + 1; i < n; ++i) {
      for (std::size_t j = k + 1; j < n; ++j) a(i, j) -= v[i] * w[j] + w[i] * v[j];
    }
  }
  if (n > 0) t.diagonal.push_back(a(n - 1, n - 1));
  return t;
}

}  // namespace gradus::functional
