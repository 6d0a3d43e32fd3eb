// Tensor: a cheap handle. Copies share storage, gradient and history, as in Python.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "gradus/dtype.hpp"
#include "gradus/error.hpp"
#include "gradus/shape.hpp"

namespace gradus {

class GradFn;  // of autograd.hpp: the op that computed a tensor
class Tensor;
struct TensorImpl;

namespace detail {

// The reference count in front of every TensorImpl, visible here so that copying a handle is inline.
struct Counted {
  std::atomic<std::uint32_t> references{1};
};
void destroy(Counted* impl) noexcept;

}  // namespace detail

struct BackwardOptions;
struct Extreme;  // of ops.hpp: values and indices
struct Sorted;   // the same
struct ReduceOptions {
  bool keepdim = false;  // keep reduced dims with size 1
};
struct VarOptions {
  double correction = 1;
  bool keepdim = false;
};
struct SortOptions {
  bool descending = false;
  bool stable = false;
};
struct TopkOptions {
  bool largest = true;
  bool sorted = true;  // otherwise the order of the result is not specified
};

class Tensor {
 public:
  Tensor() = default;  // undefined: it holds nothing, and whoever asks for its shape or values gets an Error
  Tensor(const Tensor& other) noexcept : impl_(other.impl_) { retain(); }
  Tensor(Tensor&& other) noexcept : impl_(std::exchange(other.impl_, nullptr)) {}
  Tensor& operator=(const Tensor& other) noexcept {
    Tensor copy(other);
    std::swap(impl_, copy.impl_);
    return *this;
  }
  Tensor& operator=(Tensor&& other) noexcept {
    Tensor moved(std::move(other));
    std::swap(impl_, moved.impl_);
    return *this;
  }
  ~Tensor() { release(); }

  bool defined() const { return impl_ != nullptr; }
  explicit Tensor(detail::Counted* adopted) : impl_(adopted) {}
  detail::Counted* handle() const { return impl_; }
  // True if both handles name the same tensor (Python's `is`).
  bool is(const Tensor& other) const { return impl_ == other.impl_; }

  // --- What it is -------------------------------------------------------------------------------------------------
  const Shape& shape() const;
  const Shape& strides() const;  // in elements
  std::int64_t size(std::int64_t dim) const;
  std::int64_t dim() const;
  std::int64_t numel() const;
  Dtype dtype() const;
  bool is_contiguous() const;
  // How often the memory has been written in place.
  std::uint32_t version() const;

  // --- Its values -------------------------------------------------------------------------------------------------
  // The value of a one-element tensor. Throws if there is more than one element.
  template <class T = double>
  T item() const;
  // All elements in row-major order, without a copy. Throws on another dtype or a non-contiguous tensor.
  template <class T>
  std::span<T> data() const;

  // --- Autograd ---------------------------------------------------------------------------------------------------
  bool requires_grad() const;  // a leaf that asks for a gradient, or computed from one
  bool is_leaf() const;
  Tensor& set_requires_grad(bool requires_grad = true);  // leaves of a floating dtype only
  Tensor grad() const;  // undefined until backward() has reached this leaf, or result that retains its gradient
  void set_grad(const Tensor& grad);
  void zero_grad();  // grad() becomes undefined
  // Lets backward() fill the grad() of a result, too. Throws if it requires no gradient; leaves do so anyway. With
  // .create_graph the gradient leads back to the result: zero_grad() it before the last handle goes, else neither does.
  void retain_grad() const;
  bool retains_grad() const;  // false for leaves
  GradFn grad_fn() const;     // the op that computed this tensor: none for a leaf
  // d(this)/d(leaf) is added to every leaf's grad(). A tensor of more than one element needs options.gradient.
  void backward() const;
  void backward(const BackwardOptions& options) const;
  // Shares the memory, has no history.
  Tensor detach() const;
  // `hook` sees this tensor's gradient during backward and may return another. The result is for remove_hook.
  int register_hook(std::function<Tensor(const Tensor&)> hook) const;
  void remove_hook(int id) const;

  // --- Views and copies -------------------------------------------------------------------------------------------
  Tensor operator[](std::int64_t index) const;  // select(0, index)
  Tensor select(std::int64_t dim, std::int64_t index) const;
  Tensor slice(std::int64_t dim, std::optional<std::int64_t> start = {}, std::optional<std::int64_t> end = {},
               std::int64_t step = 1) const;
  Tensor narrow(std::int64_t dim, std::int64_t start, std::int64_t length) const;
  Tensor t() const;
  Tensor transpose(std::int64_t dim0, std::int64_t dim1) const;
  Tensor permute(const Shape& dims) const;
  Tensor view(const Shape& shape) const;  // throws where it would need a copy
  Tensor reshape(const Shape& shape) const;
  Tensor flatten(std::int64_t start_dim = 0, std::int64_t end_dim = -1) const;
  Tensor expand(const Shape& shape) const;
  Tensor expand_as(const Tensor& other) const;
  Tensor squeeze() const;
  Tensor squeeze(std::int64_t dim) const;
  Tensor unsqueeze(std::int64_t dim) const;
  std::vector<Tensor> split(std::int64_t split_size, std::int64_t dim = 0) const;
  std::vector<Tensor> chunk(std::int64_t chunks, std::int64_t dim = 0) const;
  std::vector<Tensor> unbind(std::int64_t dim = 0) const;
  Tensor repeat(const Shape& repeats) const;
  Tensor diagonal(std::int64_t offset = 0, std::int64_t dim1 = 0, std::int64_t dim2 = 1) const;
  Tensor tril(std::int64_t diagonal = 0) const;
  Tensor triu(std::int64_t diagonal = 0) const;
  Tensor flip(const Dims& dims) const;
  Tensor contiguous() const;
  Tensor clone() const;
  Tensor to(Dtype dtype) const;

  // --- Everyday ops: each is the free function of ops.hpp ---------------------------------------------------------
  Tensor add(const Tensor& other, double alpha = 1) const;
  Tensor add(double value) const;
  Tensor sub(const Tensor& other, double alpha = 1) const;
  Tensor sub(double value) const;
  Tensor mul(const Tensor& other) const;
  Tensor mul(double value) const;
  Tensor div(const Tensor& other) const;
  Tensor div(double value) const;
  Tensor pow(const Tensor& exponent) const;
  Tensor pow(double exponent) const;
  Tensor eq(const Tensor& other) const;
  Tensor eq(double value) const;
  Tensor ne(const Tensor& other) const;
  Tensor ne(double value) const;
  Tensor lt(const Tensor& other) const;
  Tensor lt(double value) const;
  Tensor le(const Tensor& other) const;
  Tensor le(double value) const;
  Tensor gt(const Tensor& other) const;
  Tensor gt(double value) const;
  Tensor ge(const Tensor& other) const;
  Tensor ge(double value) const;
  Tensor neg() const;
  Tensor abs() const;
  Tensor sign() const;
  Tensor square() const;
  Tensor sqrt() const;
  Tensor exp() const;
  Tensor log() const;
  Tensor sin() const;
  Tensor cos() const;
  Tensor tanh() const;
  Tensor sigmoid() const;
  Tensor relu() const;
  Tensor clamp(std::optional<double> min, std::optional<double> max = {}) const;
  Tensor exp2() const;
  Tensor expm1() const;
  Tensor log1p() const;
  Tensor log2() const;
  Tensor log10() const;
  Tensor rsqrt() const;
  Tensor reciprocal() const;
  Tensor erf() const;
  Tensor tan() const;
  Tensor asin() const;
  Tensor acos() const;
  Tensor atan() const;
  Tensor sinh() const;
  Tensor cosh() const;
  Tensor floor() const;
  Tensor ceil() const;
  Tensor round() const;
  Tensor trunc() const;
  Tensor atan2(const Tensor& x) const;
  Tensor remainder(const Tensor& divisor) const;
  Tensor remainder(double divisor) const;
  Tensor lerp(const Tensor& end, const Tensor& weight) const;
  Tensor lerp(const Tensor& end, double weight) const;
  Tensor matmul(const Tensor& other) const;
  Tensor softmax(std::int64_t dim) const;
  Tensor log_softmax(std::int64_t dim) const;
  Tensor logsumexp(const Dims& dims, const ReduceOptions& options = {}) const;
  Tensor sum(const Dims& dims = {}, const ReduceOptions& options = {}) const;
  Tensor mean(const Dims& dims = {}, const ReduceOptions& options = {}) const;
  Tensor max() const;
  Extreme max(std::int64_t dim, const ReduceOptions& options = {}) const;
  Tensor min() const;
  Extreme min(std::int64_t dim, const ReduceOptions& options = {}) const;
  Tensor argmax(std::optional<std::int64_t> dim = {}, const ReduceOptions& options = {}) const;
  Tensor argmin(std::optional<std::int64_t> dim = {}, const ReduceOptions& options = {}) const;
  Tensor norm(double p = 2, const Dims& dims = {}, const ReduceOptions& options = {}) const;
  Tensor prod(const Dims& dims = {}, const ReduceOptions& options = {}) const;
  Tensor var(const Dims& dims = {}, const VarOptions& options = {}) const;
  Tensor std(const Dims& dims = {}, const VarOptions& options = {}) const;
  Tensor amax(const Dims& dims = {}, const ReduceOptions& options = {}) const;
  Tensor amin(const Dims& dims = {}, const ReduceOptions& options = {}) const;
  Tensor median() const;
  Extreme median(std::int64_t dim, const ReduceOptions& options = {}) const;
  Tensor all(const Dims& dims = {}, const ReduceOptions& options = {}) const;
  Tensor any(const Dims& dims = {}, const ReduceOptions& options = {}) const;
  Tensor cumsum(std::int64_t dim) const;
  Tensor cumprod(std::int64_t dim) const;
  Sorted sort(std::int64_t dim = -1, const SortOptions& options = {}) const;
  Tensor argsort(std::int64_t dim = -1, const SortOptions& options = {}) const;
  Sorted topk(std::int64_t k, std::int64_t dim = -1, const TopkOptions& options = {}) const;
  Tensor gather(std::int64_t dim, const Tensor& index) const;
  Tensor masked_fill(const Tensor& mask, double value) const;
  Tensor masked_select(const Tensor& mask) const;

  // --- In place: written with recorded history, or under NoGrad without; through views too: x[0].copy_(v) ----------
  // After a recorded write, other views of the same memory, and the one written through, must be made anew: using one
  // is an Error.
  Tensor& add_(const Tensor& other, double alpha = 1);
  Tensor& add_(double value);
  Tensor& sub_(const Tensor& other, double alpha = 1);
  Tensor& sub_(double value);
  Tensor& mul_(const Tensor& other);
  Tensor& mul_(double value);
  Tensor& div_(const Tensor& other);
  Tensor& div_(double value);
  Tensor& pow_(double exponent);
  Tensor& neg_();
  Tensor& exp_();
  Tensor& sqrt_();
  Tensor& relu_();
  Tensor& sigmoid_();
  Tensor& tanh_();
  Tensor& clamp_(std::optional<double> min, std::optional<double> max = {});
  Tensor& copy_(const Tensor& source);  // broadcasts and converts
  Tensor& fill_(double value);
  Tensor& zero_();
  Tensor& operator+=(const Tensor& other) { return add_(other); }
  Tensor& operator+=(double value) { return add_(value); }
  Tensor& operator-=(const Tensor& other) { return sub_(other); }
  Tensor& operator-=(double value) { return sub_(value); }
  Tensor& operator*=(const Tensor& other) { return mul_(other); }
  Tensor& operator*=(double value) { return mul_(value); }
  Tensor& operator/=(const Tensor& other) { return div_(other); }
  Tensor& operator/=(double value) { return div_(value); }

 private:
  void retain() const noexcept {
    if (impl_) impl_->references.fetch_add(1, std::memory_order_relaxed);
  }
  void release() noexcept {
    // The last owner needs no atomic decrement: nobody else can see the count.
    if (impl_ && (impl_->references.load(std::memory_order_acquire) == 1 ||
                  impl_->references.fetch_sub(1, std::memory_order_acq_rel) == 1)) {
      detail::destroy(impl_);
    }
  }

  detail::Counted* impl_ = nullptr;
};

// As PyTorch prints: four digits, aligned columns, summarised beyond 1000 elements.
std::string to_string(const Tensor& tensor);
std::ostream& operator<<(std::ostream& out, const Tensor& tensor);
// fmt (10 and later) finds this: fmt::print("{}", tensor).
inline std::string format_as(const Tensor& tensor) { return to_string(tensor); }

}  // namespace gradus
