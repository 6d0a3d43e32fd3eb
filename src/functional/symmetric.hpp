// Eigenvalues of small symmetric matrices.
#pragma once

#include <vector>

namespace gradus::functional {

// A symmetric matrix with nothing but its diagonal and the entries beside it: beside[i] joins i and i + 1.
struct Tridiagonal {
  std::vector<double> diagonal;
  std::vector<double> beside;
};

// Its eigenvalues, in no order. Each of `rows` becomes row Q, where the columns of Q are the eigenvectors: the rows of
// the identity give all of Q, its last row alone the last components.
std::vector<double> eigenvalues(Tridiagonal matrix, std::vector<std::vector<double>>& rows);

// The tridiagonal matrix with the eigenvalues of a symmetric one of n rows, by Householder reflections.
Tridiagonal tridiagonal(std::vector<double> matrix, std::size_t n);

}  // namespace gradus::functional
