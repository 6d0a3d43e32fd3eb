// Matrices are made well conditioned first, eigenvectors and the like independent of their signs afterwards, in the
// same way here and in tools/reference/linalg.py. What that adds to a derivative is the business of other rows.
#include <gradus/linalg.hpp>

#include <cmath>
#include <limits>

#include "ops/op_table.hpp"

namespace gradus::test {
namespace {

// Diagonally dominant: x + 4 I. Works for wide and tall matrices as well.
Tensor dominant(const Tensor& x) { return x + 4.0 * eye(x.size(-2), x.size(-1), {.dtype = x.dtype()}); }

// Diagonally dominant with different entries on the diagonal, so that no singular values or eigenvalues are close.
Tensor spread_out(const Tensor& x) {
  const std::int64_t m = x.size(-2), n = x.size(-1);
  const Tensor steps = reshape(2.0 * arange(static_cast<double>(m), {.dtype = x.dtype()}) + 3.0, {m, 1});
  return 0.5 * x + steps * eye(m, n, {.dtype = x.dtype()});
}

Tensor symmetric(const Tensor& x) { return 0.5 * (x + transpose(x, -2, -1)); }
Tensor positive_definite(const Tensor& x) {
  return symmetric(dominant(x)) + 2.0 * eye(x.size(-1), {.dtype = x.dtype()});
}

// Each column times the sign of its largest possible fixed entry, the one on the diagonal.
Tensor column_signs(const Tensor& x) { return unsqueeze(sign(diagonal(x, 0, -2, -1)), -2); }
Tensor without_signs(const Tensor& columns) {
  const std::int64_t k = std::min(columns.size(-2), columns.size(-1));
  return narrow(columns, -1, 0, k) * column_signs(columns);
}

std::vector<Case> square_cases() {
  return {
      {{normal({3, 3})}}, {{normal({1, 1})}}, {{normal({2, 3, 3})}}, {{normal({2, 1, 2, 2})}}, {{normal({0, 2, 2})}}};
}

std::vector<Case> any_cases() {
  return {{{normal({3, 3})}}, {{normal({4, 2})}}, {{normal({2, 4})}}, {{normal({2, 3, 2})}}, {{normal({1, 1})}}};
}

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

// What every function of square matrices refuses.
template <class Call>
std::vector<BadCall> square_errors(const std::string& op, const Call& call) {
  return {{[call] {
             call(zeros({2, 3}));
           },
           op + ": a square matrix is needed, got shape (2, 3)"},
          {[call] { call(zeros({3})); }, op + ": a matrix or a batch of them is needed, got shape (3,)"},
          {[call] {
             call(tensor({{1, 2}, {3, 4}}));
           },
           op + ": a floating dtype is needed, got int64"},
          {[call] {
             call(tensor({{1, 3}, {nan, 4}}, {.dtype = float64}));
           },
           op + ": the input must be finite, got nan at (1, 0)"}};
}

std::vector<BadCall> operator+(std::vector<BadCall> all, BadCall more) {
  all.push_back(std::move(more));
  return all;
}

std::vector<Row> solving_rows() {
  const auto singular = [] { return tensor({{1.0, 2.0}, {2.0, 4.0}}); };
  return {
      {.name = "solve",
       .call = [](const Tensors& x,
                  const Args& a) { return linalg::solve(dominant(x[0]), x[1], {.left = a.integer("left", 1) != 0}); },
       .cases = {{{normal({3, 3}), normal({3, 2})}},
                 {{normal({3, 3}), normal({3})}},
                 {{normal({3, 3}), normal({3, 3})}},
                 {{normal({2, 3, 3}), normal({2, 3})}},
                 {{normal({2, 3, 3}), normal({3, 1})}},
                 {{normal({3, 3}), normal({2, 3, 2})}},
                 {{normal({3, 3}), normal({2, 3})}, {{"left", {0}}}},
                 {{normal({2, 2, 2}), normal({2, 2})}, {{"left", {0}}}},
                 {{normal({1, 1, 1}), normal({1})}},
                 {{normal({2, 2}), normal({2, 0})}}},
       .bad_calls = {{[] {
                        linalg::solve(zeros({2, 3}), zeros({2}));
                      },
                      "linalg::solve: a square matrix is needed, got shape (2, 3)"},
                     {[] {
                        linalg::solve(zeros({2, 2}), zeros({3, 1}));
                      },
                      "linalg::solve: A and B differ in rows: (2, 2) and (3, 1)"},
                     {[=] { linalg::solve(singular(), zeros({2})); },
                      "linalg::solve: the matrix is singular: pivot 1 of shape (2, 2) is zero"},
                     {[] {
                        linalg::solve(zeros({2, 2}), zeros({2}, {.dtype = float64}));
                      },
                      "linalg::solve: dtypes differ: float32 and float64; convert one with to()"},
                     {[] {
                        linalg::solve(zeros({2, 3, 3}), zeros({3, 2}), {.left = false});
                      },
                      "linalg::solve: A and B differ in columns: (2, 3, 3) and (3, 2)"},
                     {[] {
                        linalg::solve(tensor({{1.0, INFINITY}, {0.0, 1.0}}), zeros({2}));
                      },
                      "linalg::solve: the input must be finite, got inf at (0, 1)"}}},
      {.name = "inv",
       .call = [](const Tensors& x, const Args&) { return linalg::inv(dominant(x[0])); },
       .cases = square_cases(),
       .bad_calls = square_errors("linalg::inv", linalg::inv) +
                    BadCall{[=] { linalg::inv(singular()); },
                            "linalg::inv: the matrix is singular: pivot 1 of shape (2, 2) is zero"} +
                    BadCall{[] {
                              linalg::inv(stack({eye(3), zeros({3, 3})}));
                            },
                            "linalg::inv: matrix 1 is singular: pivot 0 of shape (2, 3, 3) is zero"}},
      {.name = "det",
       .call = [](const Tensors& x, const Args&) { return linalg::det(dominant(x[0])); },
       .cases = square_cases(),
       .bad_calls = square_errors("linalg::det", linalg::det)},
      {.name = "slogdet",
       .call = [](const Tensors& x, const Args&) { return linalg::slogdet(dominant(x[0])).logabsdet; },
       .cases = square_cases(),
       .bad_calls = square_errors("linalg::slogdet", linalg::slogdet)},
      {.name = "slogdet.sign",
       .call = [](const Tensors& x, const Args&) { return linalg::slogdet(x[0]).sign; },
       .cases = square_cases(),
       .bad_calls = square_errors("linalg::slogdet", linalg::slogdet),
       .differentiable = false},
      {.name = "cholesky",
       .call =
           [](const Tensors& x, const Args& a) {
             return linalg::cholesky(positive_definite(x[0]), {.upper = a.integer("upper", 0) != 0});
           },
       .cases = {{{normal({3, 3})}}, {{normal({3, 3})}, {{"upper", {1}}}}, {{normal({2, 3, 3})}}, {{normal({1, 1})}}},
       .bad_calls = square_errors("linalg::cholesky", [](const Tensor& x) { linalg::cholesky(x); }) +
                    BadCall{[] {
                              linalg::cholesky(tensor({{1.0, 0.0}, {0.0, -1.0}}));
                            },
                            "linalg::cholesky: the matrix is not positive definite: leading minor 2 of shape (2, 2)"}},
  };
}

std::vector<Row> factorising_rows() {
  return {
      {.name = "qr",
       .call = [](const Tensors& x, const Args&) { return without_signs(linalg::qr(dominant(x[0])).Q); },
       .cases = any_cases(),
       .bad_calls = {{[] { linalg::qr(zeros({3})); },
                      "linalg::qr: a matrix or a batch of them is needed, got shape (3,)"},
                     {[] {
                        linalg::qr(tensor({{1.0, NAN}}));
                      },
                      "linalg::qr: the input must be finite, got nan at (0, 1)"}}},
      {.name = "qr.R",
       .call =
           [](const Tensors& x, const Args&) {
             const auto [Q, R] = linalg::qr(dominant(x[0]));
             return R * transpose(column_signs(Q), -2, -1);
           },
       .cases = any_cases(),
       .bad_calls = {{[] {
                        linalg::qr(tensor({{1, 2}}));
                      },
                      "linalg::qr: a floating dtype is needed, got int64"}}},
      {.name = "eigh",
       .call = [](const Tensors& x, const Args&) { return linalg::eigh(symmetric(spread_out(x[0]))).eigenvalues; },
       .cases = square_cases(),
       .bad_calls = square_errors("linalg::eigh", linalg::eigh)},
      {.name = "eigh.eigenvectors",
       .call = [](const Tensors& x,
                  const Args&) { return without_signs(linalg::eigh(symmetric(spread_out(x[0]))).eigenvectors); },
       .cases = square_cases(),
       .bad_calls = square_errors("linalg::eigh", linalg::eigh)},
      {.name = "eigvalsh",
       .call = [](const Tensors& x, const Args&) { return linalg::eigvalsh(symmetric(spread_out(x[0]))); },
       .cases = square_cases(),
       .bad_calls = square_errors("linalg::eigvalsh", linalg::eigvalsh)},
      {.name = "svd",
       .call = [](const Tensors& x, const Args&) { return linalg::svd(spread_out(x[0])).S; },
       .cases = any_cases(),
       .bad_calls = {{[] { linalg::svd(zeros({3})); },
                      "linalg::svd: a matrix or a batch of them is needed, got shape (3,)"},
                     {[] {
                        linalg::svd(tensor({{1.0, NAN}}));
                      },
                      "linalg::svd: the input must be finite, got nan at (0, 1)"},
                     {[] {
                        Tensor x = tensor({{3.0}, {4.0}}, {.requires_grad = true});
                        sum(linalg::svd(x).U).backward();
                      },
                      "linalg::svd: the vectors that .full_matrices adds have no derivative: shape (2, 1)"}}},
      {.name = "svd.U",
       .call = [](const Tensors& x,
                  const Args&) { return without_signs(linalg::svd(spread_out(x[0]), {.full_matrices = false}).U); },
       .cases = any_cases(),
       .bad_calls = {{[] {
                        linalg::svd(tensor({{1, 2}}));
                      },
                      "linalg::svd: a floating dtype is needed, got int64"}}},
      {.name = "svd.Vh",
       .call =
           [](const Tensors& x, const Args&) {
             const Tensor Vh = linalg::svd(spread_out(x[0]), {.full_matrices = false}).Vh;
             return without_signs(transpose(Vh, -2, -1));
           },
       .cases = any_cases(),
       .bad_calls = {{[] {
                        linalg::svd(tensor({{1, 2}}));
                      },
                      "linalg::svd: a floating dtype is needed, got int64"}}},
      {.name = "svd.full",  // U f(S) Vh, where signs cancel, from the complete matrices
       .call =
           [](const Tensors& x, const Args&) {
             const auto [U, S, Vh] = linalg::svd(spread_out(x[0]));
             const std::int64_t k = S.size(-1);
             return matmul(narrow(U, -1, 0, k) * unsqueeze(sqrt(S), -2), narrow(Vh, -2, 0, k));
           },
       .cases = any_cases(),
       .bad_calls = {{[] {
                        linalg::svd(tensor({{1, 2}}));
                      },
                      "linalg::svd: a floating dtype is needed, got int64"}}},
      {.name = "svdvals",
       .call = [](const Tensors& x, const Args&) { return linalg::svdvals(spread_out(x[0])); },
       .cases = any_cases(),
       .bad_calls = {{[] {
                        linalg::svdvals(tensor({{1.0, NAN}}));
                      },
                      "linalg::svdvals: the input must be finite, got nan at (0, 1)"}}},
  };
}

std::vector<Row> least_squares_rows() {
  return {
      {.name = "pinv",
       .call = [](const Tensors& x, const Args&) { return linalg::pinv(dominant(x[0])); },
       .cases = any_cases(),
       .bad_calls = {{[] { linalg::pinv(zeros({3})); },
                      "linalg::pinv: a matrix or a batch of them is needed, got shape (3,)"}}},
      {.name = "lstsq",
       .call = [](const Tensors& x, const Args&) { return linalg::lstsq(dominant(x[0]), x[1]).solution; },
       .cases = {{{normal({4, 2}), normal({4, 3})}},
                 {{normal({3, 3}), normal({3, 1})}},
                 {{normal({2, 4}), normal({2, 2})}},
                 {{normal({4, 2}), normal({4})}},
                 {{normal({4, 2}), normal({4, 0})}},
                 {{normal({2, 4, 2}), normal({2, 4, 1})}},
                 {{normal({2, 4, 2}), normal({2, 4})}}},
       .bad_calls = {{[] {
                        linalg::lstsq(zeros({3, 2}), zeros({2, 1}));
                      },
                      "linalg::lstsq: A and B must agree in batch dims and rows: (3, 2) and (2, 1)"},
                     {[] {
                        linalg::lstsq(zeros({3, 2}), zeros({3}, {.dtype = float64}));
                      },
                      "linalg::lstsq: dtypes differ: float32 and float64; convert one with to()"}}},
      {.name = "lstsq.residuals",
       .call = [](const Tensors& x, const Args&) { return linalg::lstsq(dominant(x[0]), x[1]).residuals; },
       .cases = {{{normal({4, 2}), normal({4, 3})}}, {{normal({4, 2}), normal({4})}}},
       .bad_calls = {{[] { linalg::lstsq(zeros({3}), zeros({3})); },
                      "linalg::lstsq: a matrix or a batch of them is needed, got shape (3,)"}}},
  };
}

}  // namespace

std::vector<Row> linalg_rows() {
  std::vector<Row> rows = solving_rows();
  for (const auto& family : {factorising_rows, least_squares_rows}) {
    for (Row& row : family()) rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace gradus::test
