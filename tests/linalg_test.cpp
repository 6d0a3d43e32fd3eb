// What the op table does not ask of linalg: identities, degenerate and empty matrices, sizes at which LAPACK blocks.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include <gradus/autograd.hpp>
#include <gradus/factory.hpp>
#include <gradus/linalg.hpp>
#include <gradus/ops.hpp>
#include <gradus/random.hpp>

#include "autograd/observer.hpp"
#include "ops/checks.hpp"

namespace gradus::test {
namespace {

using Doubles = std::vector<double>;
constexpr double infinity = std::numeric_limits<double>::infinity();

Tensor random(const Shape& shape) { return randn(shape, {.dtype = float64}); }
Tensor identity(std::int64_t n) { return eye(n, {.dtype = float64}); }
Tensor matrix(std::initializer_list<Nested> rows, bool requires_grad = false) {
  return tensor(rows, {.dtype = float64, .requires_grad = requires_grad});
}
Tensor t(const Tensor& x) { return transpose(x, -2, -1); }

TEST_CASE("factors multiply to the matrix, at sizes large and small and in batches") {
  manual_seed(1);
  for (const Shape& shape : {Shape{150, 150}, Shape{200, 90}, Shape{70, 160}, Shape{5, 4, 3}, Shape{2, 3, 3, 5}}) {
    CAPTURE(to_string(shape));
    const Tensor A = random(shape);
    const Tolerance close{.to_scale = 1e-12};
    const auto [Q, R] = linalg::qr(A);
    const std::int64_t k = Q.size(-1);
    CHECK(difference(matmul(Q, R), A, close) == "");
    CHECK(difference(matmul(t(Q), Q), identity(k).expand(matmul(t(Q), Q).shape()), close) == "");
    CHECK(equal(R, triu(R)));
    for (const bool full : {false, true}) {
      const auto [U, S, Vh] = linalg::svd(A, {.full_matrices = full});
      CHECK(U.size(-1) == (full ? A.size(-2) : k));
      CHECK(Vh.size(-2) == (full ? A.size(-1) : k));
      const Tensor product = matmul(narrow(U, -1, 0, k) * unsqueeze(S, -2), narrow(Vh, -2, 0, k));
      CHECK(difference(product, A, close) == "");
      CHECK(difference(matmul(Vh, t(Vh)), identity(Vh.size(-2)).expand(matmul(Vh, t(Vh)).shape()), close) == "");
      CHECK(difference(linalg::svdvals(A), S, close) == "");
    }
    const Tensor P = linalg::pinv(A);
    CHECK(difference(matmul(matmul(A, P), A), A, close) == "");
    const Tensor G = matmul(A, t(A)) + identity(A.size(-2));
    const Tensor L = linalg::cholesky(G);
    CHECK(difference(matmul(L, t(L)), G, close) == "");
    CHECK(equal(linalg::cholesky(G, {.upper = true}), t(L)));
    CHECK(difference(matmul(linalg::inv(G), G), identity(A.size(-2)).expand(G.shape()), {.absolute = 1e-9}) == "");
    const auto [w, V] = linalg::eigh(G);
    CHECK(difference(matmul(V * unsqueeze(w, -2), t(V)), G, close) == "");
    CHECK(difference(linalg::eigvalsh(G), w, close) == "");
    const auto [sign, logabsdet] = linalg::slogdet(G);
    CHECK(difference(logabsdet, sum(log(w), -1), {.relative = 1e-11}) == "");
    CHECK(difference(sign, ones_like(sign)) == "");
  }
}

TEST_CASE("eigh reads the lower triangle only, cholesky as well") {
  const Tensor lower = matrix({{2, 99}, {1, 3}}), symmetric = matrix({{2, 1}, {1, 3}});
  CHECK(equal(linalg::eigh(lower).eigenvalues, linalg::eigh(symmetric).eigenvalues));
  CHECK(equal(linalg::cholesky(lower), linalg::cholesky(symmetric)));
}

TEST_CASE("cholesky reads the triangle that it returns; the other may hold anything") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const Tensor lower = matrix({{4, nan}, {1, 3}}, true), upper = matrix({{4, 1}, {nan, 3}}, true);
  const Tensor L = linalg::cholesky(lower), U = linalg::cholesky(upper, {.upper = true});
  CHECK(equal(L, linalg::cholesky(matrix({{4, 1}, {1, 3}}))));
  CHECK(equal(U, t(L)));
  const Tensor weights = matrix({{1, 0}, {2, 3}});
  sum(L * weights).backward();
  sum(U * t(weights)).backward();
  CHECK(equal(upper.grad(), lower.grad()));
  CHECK(sum(lower.grad()).item() == sum(lower.grad()).item());
}

TEST_CASE("X A = B takes B for matrices, whatever its shape") {
  const Tensor A = reshape(tensor({2.0, 1.0, 0.0, 3.0, 5.0, 2.0, 1.0, 4.0}, {.dtype = float64}), {2, 2, 2});
  const Tensor B = matrix({{1, 2}, {3, 4}});
  const Tensor X = linalg::solve(A, B, {.left = false});
  CHECK(X.shape() == Shape{2, 2, 2});
  CHECK(difference(matmul(X, A), B.expand({2, 2, 2}), {.absolute = 1e-14}) == "");
}

TEST_CASE("gradients and right-hand sides that are not finite go through solve") {
  const Tensor A = matrix({{2, 1}, {0, 3}}, true), B = matrix({{1}, {infinity}});
  CHECK(linalg::solve(A, B)[1].item() == infinity);
  const Tensor X = linalg::solve(A, matrix({{1}, {2}}));
  sum(X / zeros({2, 1}, {.dtype = float64})).backward();
  CHECK_FALSE(std::isfinite(sum(A.grad()).item()));
}

TEST_CASE("the determinant of a singular matrix has its cofactors for gradient, and a second derivative") {
  const Tensor A = matrix({{1, 2}, {2, 4}}, true);
  const Tensor d = linalg::det(A);
  CHECK(d.item() == 0);
  const Tensor g = grad(d, {A}, {.create_graph = true})[0];
  CHECK(values(g) == Doubles{4, -2, -2, 1});
  CHECK(values(grad(g[0][0], {A})[0]) == Doubles{0, 0, 0, 1});
  // Of rank 1 in three dims: no minor is left.
  const Tensor ones33 = ones({3, 3}, {.dtype = float64, .requires_grad = true});
  linalg::det(ones33).backward();
  CHECK(difference(ones33.grad(), zeros({3, 3}, {.dtype = float64}), {.absolute = 1e-14}) == "");
}

TEST_CASE("singular matrices among others in a batch have their cofactors, recorded or not") {
  const Tensor batch =
      stack({matrix({{2, 0}, {0, 3}}), matrix({{1, 2}, {2, 4}}), matrix({{1, 1}, {0, 2}}), matrix({{0, 5}, {0, 7}})})
          .set_requires_grad();
  const Tensor weights = tensor({1.0, 2.0, 3.0, -1.0}, {.dtype = float64});
  const Tensor expected = reshape(
      tensor({3.0, 0.0, 0.0, 2.0, 8.0, -4.0, -4.0, 2.0, 6.0, 0.0, -3.0, 3.0, -7.0, 0.0, 5.0, 0.0}, {.dtype = float64}),
      {4, 2, 2});
  for (const bool recorded : {false, true}) {
    CAPTURE(recorded);
    const Tensor g = grad(sum(linalg::det(batch) * weights), {batch}, {.create_graph = recorded})[0];
    CHECK(difference(g, expected, {.absolute = 1e-13}) == "");
    if (recorded) CHECK(values(grad(g[1][0][0], {batch})[0])[7] == 2);
  }
}

TEST_CASE("the cofactors of a large singular matrix take one decomposition, not a determinant each") {
  manual_seed(3);
  const std::int64_t n = 150;
  Tensor A = random({n, n}) / 12.0;
  const Tensor row = random({n});
  A[0].zero_();
  // Expanded along its first row, the determinant has the cofactors of that row for slope.
  Tensor with_row = A.clone();
  with_row[0].copy_(row);
  A.set_requires_grad();
  linalg::det(A).backward();
  CHECK(sum(A.grad()[0] * row).item() == doctest::Approx(linalg::det(with_row).item()));
}

TEST_CASE("slogdet neither overflows nor hides the sign") {
  const Tensor big = 1e300 * identity(3);
  CHECK(linalg::slogdet(big).logabsdet.item() == doctest::Approx(3 * std::log(1e300)));
  const auto [sign, logabsdet] = linalg::slogdet(matrix({{0, 1}, {1, 0}}));
  CHECK(sign.item() == -1);
  CHECK(logabsdet.item() == 0);
  const auto singular = linalg::slogdet(zeros({2, 2}));
  CHECK(singular.sign.item() == 0);
  CHECK(singular.logabsdet.item() == -infinity);
}

TEST_CASE("eigenvalues and singular values that coincide have a derivative, as long as no vector is used") {
  Tensor A = identity(3).set_requires_grad();
  const Tensor weights = tensor({1.0, 1.0, 1.0}, {.dtype = float64});
  sum(linalg::eigvalsh(A) * weights).backward();
  CHECK(difference(A.grad(), identity(3), {.absolute = 1e-15}) == "");
  A.zero_grad();
  sum(square(linalg::svdvals(A))).backward();  // the square of the Frobenius norm
  CHECK(difference(A.grad(), 2.0 * identity(3), {.absolute = 1e-14}) == "");
}

TEST_CASE("the spectrum of a Hessian") {
  // f = 1/2 x^T A x + sum cos(x), at 0: A - I
  const Tensor A = matrix({{4, 1, 0}, {1, 3, 1}, {0, 1, 2}});
  const Tensor x = zeros({3}, {.dtype = float64, .requires_grad = true});
  const Tensor slope = grad(0.5 * dot(x, mv(A, x)) + sum(cos(x)), {x}, {.create_graph = true})[0];
  Tensors rows;
  for (const Tensor& component : unbind(slope)) rows.push_back(grad(component, {x}, {.retain_graph = true})[0]);
  const Tensor expected = linalg::eigvalsh(A) - 1.0;
  CHECK(difference(linalg::eigvalsh(stack(rows)), expected, {.to_scale = 1e-14}) == "");
}

TEST_CASE("least squares of full and of lower rank, wide and tall") {
  const Tensor A = matrix({{1, 0}, {0, 2}, {0, 0}});
  const Tensor B = tensor({3.0, 4.0, 5.0}, {.dtype = float64});
  const auto found = linalg::lstsq(A, B);
  CHECK(difference(found.solution, tensor({3.0, 2.0}, {.dtype = float64}), {.relative = 1e-15}) == "");
  CHECK(found.residuals.item() == doctest::Approx(25));
  CHECK(found.rank.item<int>() == 2);
  CHECK(difference(found.singular_values, tensor({2.0, 1.0}, {.dtype = float64}), {.relative = 1e-15}) == "");

  const auto lower = linalg::lstsq(matrix({{1, 1}, {1, 1}, {1, 1}}), B);
  CHECK(difference(lower.solution, tensor({2.0, 2.0}, {.dtype = float64}), {.relative = 1e-14}) == "");  // least norm
  CHECK(lower.rank.item<int>() == 1);
  CHECK(lower.residuals.numel() == 0);

  const auto wide = linalg::lstsq(matrix({{1, 1}}), tensor({4.0}, {.dtype = float64}));
  CHECK(difference(wide.solution, tensor({2.0, 2.0}, {.dtype = float64}), {.relative = 1e-14}) == "");
  CHECK(wide.residuals.numel() == 0);
}

TEST_CASE("the derivative of lstsq counts the same singular values as zero as the solution, whatever rcond is") {
  const Tensor A = matrix({{1, 0}, {0, 1e-17}, {0, 0}}, true);
  const Tensor B = matrix({{1}, {2}, {3}}, true);
  const auto gradients = [&](const linalg::LstsqOptions& options) {
    return grad(sum(linalg::lstsq(A, B, options).solution), {A, B});
  };
  const Tensors expected = gradients({});
  for (const double rcond : {0.0, -1.0, 1.0, 7.0, 1e-12}) {
    CAPTURE(rcond);
    const Tensors found = gradients({.rcond = rcond});
    CHECK(difference(found[0], expected[0], {.to_scale = 1e-12}) == "");
    CHECK(difference(found[1], expected[1], {.to_scale = 1e-12}) == "");
  }
  const Tensor narrow = A.detach().to(float32).set_requires_grad();
  const Tensor x = linalg::lstsq(narrow, B.detach().to(float32), {.rcond = 1e-60}).solution;  // 0 in float32
  CHECK(difference(grad(sum(x), {narrow})[0].to(float64), expected[0], {.to_scale = 1e-4}) == "");
}

TEST_CASE("lstsq without right-hand sides still says what the rank is") {
  const auto found = linalg::lstsq(matrix({{1, 0}, {0, 2}, {0, 0}}), zeros({3, 0}, {.dtype = float64}));
  CHECK(found.solution.shape() == Shape{2, 0});
  CHECK(found.residuals.shape() == Shape{0});
  CHECK(found.rank.item<int>() == 2);
  CHECK(values(found.singular_values) == Doubles{2, 1});
}

TEST_CASE("the derivative of a tall pseudoinverse needs no matrix as large as its longer side squared") {
  manual_seed(4);
  const Tensor A = random({50000, 2}).set_requires_grad();  // 20 GB that would be
  const Tensor P = linalg::pinv(A);
  sum(matmul(P, A)).backward();  // constant, so the two paths to A cancel
  CHECK(difference(A.grad(), zeros({50000, 2}, {.dtype = float64}), {.absolute = 1e-10}) == "");
}

TEST_CASE("pinv leaves out what counts as zero") {
  const Tensor A = matrix({{2, 0}, {0, 1e-20}});
  CHECK(values(linalg::pinv(A)) == Doubles{0.5, 0, 0, 0});
  CHECK(linalg::pinv(A, {.rtol = 0.0})[1][1].item() == doctest::Approx(1e20));
  CHECK(values(linalg::pinv(A, {.atol = 3})) == Doubles{0, 0, 0, 0});
}

TEST_CASE("empty matrices and batches") {
  const Tensor none = zeros({0, 0});
  CHECK(linalg::det(none).item() == 1);
  CHECK(linalg::slogdet(none).logabsdet.item() == 0);
  CHECK(linalg::inv(none).shape() == Shape{0, 0});
  CHECK(linalg::cholesky(none).shape() == Shape{0, 0});
  CHECK(linalg::eigh(none).eigenvalues.shape() == Shape{0});
  CHECK(linalg::solve(none, zeros({0, 3})).shape() == Shape{0, 3});
  CHECK(linalg::svd(zeros({0, 3})).Vh.shape() == Shape{3, 3});
  CHECK(linalg::svd(zeros({3, 0}), {.full_matrices = false}).U.shape() == Shape{3, 0});
  CHECK(linalg::qr(zeros({3, 0})).Q.shape() == Shape{3, 0});
  CHECK(linalg::qr(zeros({0, 3})).R.shape() == Shape{0, 3});
  CHECK(linalg::pinv(zeros({3, 0})).shape() == Shape{0, 3});
  CHECK(linalg::lstsq(zeros({0, 2}), zeros({0, 1})).solution.shape() == Shape{2, 1});
  CHECK(linalg::inv(zeros({0, 2, 2})).shape() == Shape{0, 2, 2});
}

TEST_CASE("large systems are solved by threads to the same accuracy") {
  manual_seed(2);
  const Tensor A = random({400, 400}) + 40.0 * identity(400), x = random({400, 20});
  CHECK(difference(linalg::solve(A, matmul(A, x)), x, {.to_scale = 1e-12}) == "");
  CHECK(difference(linalg::solve(t(A).contiguous(), matmul(t(A), x)), x, {.to_scale = 1e-12}) == "");
}

TEST_CASE("signs and ranks are branches that an observer sees") {
  struct Ways : Observer {
    std::set<std::string> ops;
    void branched(const char* op, const Tensor&) override { ops.insert(op); }
  } ways;
  {
    const Observing guard(&ways);
    linalg::slogdet(identity(2));
    linalg::pinv(identity(2));
    linalg::lstsq(identity(2), identity(2));
  }
  for (const char* op : {"linalg::slogdet", "linalg::pinv", "linalg::lstsq"}) {
    CAPTURE(op);
    CHECK(ways.ops.contains(op));
  }
}

TEST_CASE("the factors leave no node behind") {
  const std::int64_t nodes = live_nodes();
  {
    const Tensor A = random({4, 3}).set_requires_grad();
    const auto [U, S, Vh] = linalg::svd(A, {.full_matrices = false});
    const auto [Q, R] = linalg::qr(A);
    const Tensor loss = sum(square(U)) + sum(S) + sum(matmul(R, t(Vh))) + sum(Q);
    grad(loss, {A}, {.create_graph = true});
    const auto [w, V] = linalg::eigh(matmul(t(A), A));
    grad(sum(V) + sum(w), {A}, {.create_graph = true});
  }
  CHECK(live_nodes() == nodes);
}

}  // namespace
}  // namespace gradus::test
