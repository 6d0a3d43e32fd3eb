// The spectrum of a Hessian: its ends by Lanczos iteration, or all of it.

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "functional/recorded.hpp"
#include "gradus/autograd.hpp"
#include "gradus/factory.hpp"
#include "gradus/linalg.hpp"
#include "gradus/ops.hpp"
#include "storage/format.hpp"
#include "storage/norm.hpp"

namespace gradus {
namespace functional {
namespace {

using Vector = std::vector<double>;

constexpr double epsilon = std::numeric_limits<double>::epsilon();

double dot(const Vector& a, const Vector& b) { return std::inner_product(a.begin(), a.end(), b.begin(), 0.0); }

void add_scaled(Vector& sum, double factor, const Vector& v) {
  for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += factor * v[i];
}

void scale(Vector& v, double factor) {
  for (double& element : v) element *= factor;
}

// H as a map of flat vectors in double, whatever the inputs' shapes and dtypes are.
class FlatHessian {
 public:
  explicit FlatHessian(Recorded function) : name_(function.name), product_(std::move(function)) {
    for (const Tensor& input : product_.inputs()) size_ += static_cast<std::size_t>(input.numel());
  }

  std::size_t size() const { return size_; }

  // What rounding in the inputs' dtype leaves of a relative tolerance.
  double attainable(double tolerance) const {
    const bool has_float = std::ranges::any_of(product_.inputs(), [](const auto& x) { return x.dtype() == float32; });
    return has_float ? std::max(tolerance, 1e-5) : tolerance;
  }

  std::vector<Tensor> shaped(const Vector& v) const {
    std::vector<Tensor> parts;
    const double* from = v.data();
    for (const Tensor& input : product_.inputs()) {
      const std::span<const double> part(from, static_cast<std::size_t>(input.numel()));
      parts.push_back(tensor(part, input.shape(), {.dtype = input.dtype()}));
      from += part.size();
    }
    return parts;
  }

  Vector operator()(const Vector& v) const {
    Vector flat;
    flat.reserve(size_);
    for (const Tensor& part : product_(shaped(v))) {
      const Tensor dense = part.to(float64).contiguous();
      const std::span<double> values = dense.data<double>();
      flat.insert(flat.end(), values.begin(), values.end());
    }
    if (!std::ranges::all_of(flat, [](double element) { return std::isfinite(element); })) {
      fail("{}: a product of the Hessian and a vector is not finite", name_);
    }
    return flat;
  }

 private:
  const char* name_;
  HessianProduct product_;
  std::size_t size_ = 0;
};

Vector random_direction(std::size_t size, Generator* generator) {
  Generator own;
  const Tensor draws =
      randn({static_cast<std::int64_t>(size)}, {.dtype = float64, .generator = generator ? generator : &own});
  const std::span<double> values = draws.data<double>();
  Vector direction(values.begin(), values.end());
  scale(direction, 1 / euclidean_norm(direction));
  return direction;
}

Tensor square(const Vector& entries, std::size_t n) {
  const auto order = static_cast<std::int64_t>(n);
  return tensor(std::span<const double>(entries), {order, order});
}

// The eigenpair of a tridiagonal matrix that is asked for.
struct Ritz {
  Vector vector;
  double size = 0;  // the largest |eigenvalue|
};

Ritz ritz(const Vector& diagonal, const Vector& beside, SpectrumEnd which) {
  const std::size_t m = diagonal.size();
  Vector matrix(m * m);
  for (std::size_t i = 0; i < m; ++i) matrix[i * m + i] = diagonal[i];
  for (std::size_t i = 0; i + 1 < m; ++i) matrix[(i + 1) * m + i] = beside[i];  // eigh reads the lower triangle
  const auto [values, vectors] = linalg::eigh(square(matrix, m));
  const double least = values[0].item(), greatest = values[-1].item();  // they ascend
  const bool first =
      which == SpectrumEnd::smallest || (which == SpectrumEnd::magnitude && std::abs(least) > std::abs(greatest));
  const Tensor column = select(vectors, 1, first ? 0 : -1).contiguous();
  const std::span<const double> entries = column.data<double>();
  return {{entries.begin(), entries.end()}, std::max(std::abs(least), std::abs(greatest))};
}

// Orthogonal directions q in which H is tridiagonal, grown one product at a time from a random one.
class Lanczos {
 public:
  Lanczos(const FlatHessian& hessian, Vector start) : hessian_(hessian), basis_{std::move(start)} {}

  int steps() const { return static_cast<int>(diagonal_.size()); }

  // One product more.
  void step() {
    const Vector& q = basis_.back();
    next_ = hessian_(q);
    diagonal_.push_back(dot(q, next_));
    // Against all directions, and twice: rounding would bring copies of eigenvalues already found.
    for (int pass = 0; pass < 2; ++pass) {
      for (const Vector& known : basis_) add_scaled(next_, -dot(known, next_), known);
    }
    residual_ = euclidean_norm(next_);
  }

  // The residual of the wanted Ritz pair, relative to |H|, is |next| times the last component of its vector.
  bool is_done(SpectrumEnd which, double tolerance) const {
    const Ritz wanted = ritz(diagonal_, beside_, which);
    return basis_.size() == hessian_.size() || residual_ <= epsilon * wanted.size ||
           residual_ * std::abs(wanted.vector.back()) <= tolerance * wanted.size;
  }

  void grow() {
    beside_.push_back(residual_);
    scale(next_, 1 / residual_);
    basis_.push_back(std::move(next_));
  }

  // The wanted Ritz vector, of length 1, and the largest |eigenvalue|.
  std::pair<Vector, double> vector(SpectrumEnd which) const {
    const Ritz wanted = ritz(diagonal_, beside_, which);
    Vector u(hessian_.size());
    for (std::size_t i = 0; i < basis_.size(); ++i) add_scaled(u, wanted.vector[i], basis_[i]);
    scale(u, 1 / euclidean_norm(u));
    return {std::move(u), wanted.size};
  }

 private:
  const FlatHessian& hessian_;
  std::vector<Vector> basis_;
  Vector diagonal_, beside_;  // beside_[i] joins i and i + 1
  Vector next_;
  double residual_ = 0;
};

Eigenvalue extreme_eigenvalue(Recorded function, const EigenvalueOptions& options) {
  if (options.max_iterations < 1) {
    fail("largest_hessian_eigenvalue: max_iterations must be positive, got {}", options.max_iterations);
  }
  const FlatHessian hessian(std::move(function));
  if (hessian.size() == 0) fail("largest_hessian_eigenvalue: the inputs have no elements");
  const double tolerance = hessian.attainable(options.tolerance);
  Lanczos lanczos(hessian, random_direction(hessian.size(), options.generator));
  lanczos.step();
  while (!lanczos.is_done(options.which, tolerance / 2) && lanczos.steps() < options.max_iterations) {
    lanczos.grow();
    lanczos.step();
  }
  // The error bar is measured, by one product more, and not taken from the recurrence: so it includes rounding.
  const auto [u, size] = lanczos.vector(options.which);
  Vector residual = hessian(u);
  const double value = dot(u, residual);
  add_scaled(residual, -value, u);
  const double error = euclidean_norm(residual);
  return {value, error, lanczos.steps(), error <= tolerance * size, hessian.shaped(u)};
}

Tensor spectrum(Recorded function) {
  const FlatHessian hessian(std::move(function));
  const std::size_t n = hessian.size();
  Vector matrix(n * n), unit(n);
  for (std::size_t i = 0; i < n; ++i) {
    unit[i] = 1;
    const Vector column = hessian(unit);
    unit[i] = 0;
    // Half from the row, half from the column: rounding leaves H not quite symmetric.
    for (std::size_t j = 0; j < n; ++j) {
      matrix[i * n + j] += column[j] / 2;
      matrix[j * n + i] += column[j] / 2;
    }
  }
  return linalg::eigvalsh(square(matrix, n));
}

}  // namespace
}  // namespace functional

using functional::run;

Eigenvalue largest_hessian_eigenvalue(const UnaryFunction& fn, const Tensor& x, const EigenvalueOptions& options) {
  const EnableGrad recording;
  return functional::extreme_eigenvalue(run("largest_hessian_eigenvalue", fn, x, false), options);
}

Eigenvalue largest_hessian_eigenvalue(const ListFunction& fn, const std::vector<Tensor>& inputs,
                                      const EigenvalueOptions& options) {
  const EnableGrad recording;
  return functional::extreme_eigenvalue(run("largest_hessian_eigenvalue", fn, inputs, false), options);
}

Eigenvalue largest_hessian_eigenvalue(const LossFunction& loss, const std::vector<Tensor>& parameters,
                                      const EigenvalueOptions& options) {
  const EnableGrad recording;
  return functional::extreme_eigenvalue(run("largest_hessian_eigenvalue", loss, parameters), options);
}

Tensor hessian_spectrum(const UnaryFunction& fn, const Tensor& x) {
  const EnableGrad recording;
  return functional::spectrum(run("hessian_spectrum", fn, x, false));
}

Tensor hessian_spectrum(const ListFunction& fn, const std::vector<Tensor>& inputs) {
  const EnableGrad recording;
  return functional::spectrum(run("hessian_spectrum", fn, inputs, false));
}

Tensor hessian_spectrum(const LossFunction& loss, const std::vector<Tensor>& parameters) {
  const EnableGrad recording;
  return functional::spectrum(run("hessian_spectrum", loss, parameters));
}

}  // namespace gradus
