// Running sums and products, and the product as the last of these.

#include <algorithm>
#include <type_traits>

#include "autograd/record.hpp"
#include "gradus/factory.hpp"
#include "gradus/ops.hpp"
#include "ops/lines.hpp"
#include "ops/reduction.hpp"

namespace gradus {
namespace {

// What is accumulated in: float32 in double; integers wrap around.
template <class T>
using Wide = std::conditional_t<std::is_integral_v<T>, std::uint64_t, double>;

// x[-1], x[0], ..., x[n - 2] along dim, where x[-1] is `first`.
Tensor previous(const Tensor& x, std::int64_t dim, double first) {
  Shape one = x.shape();
  one[dim] = 1;
  return cat({full(one, first, {.dtype = x.dtype()}), narrow(x, dim, 0, x.shape()[dim] - 1)}, dim);
}

Tensor running_sum(const Tensor& x, std::int64_t dim, bool backwards) {
  const Tensor source = dense(x);
  const Tensor y = make_tensor(x.shape(), x.dtype());
  dispatch_numeric("cumsum", x.dtype(), [&]<class T>() {
    const T* const from = data_of<T>(source);
    T* const to = data_of<T>(y);
    for_each_line(x.shape(), dim, [=](std::int64_t start, std::int64_t stride, std::int64_t n) {
      Wide<T> total = 0;
      for (std::int64_t i = 0; i < n; ++i) {
        const std::int64_t at = start + (backwards ? n - 1 - i : i) * stride;
        total += static_cast<Wide<T>>(from[at]);
        to[at] = static_cast<T>(total);
      }
    });
  });
  return record(backwards ? "cumsum_backward" : "cumsum", y,
                wrt(x, [dim, backwards](const Tensor& g) { return running_sum(g, dim, !backwards); }));
}

// y[i] = b[i] + a[i] y[i - 1] along dim, or backwards: y[i] = b[i] + a[i + 1] y[i + 1]. Either is the derivative of the
// other: a[i] ties places i - 1 and i together, in which direction ever.
Tensor linear_scan(const Tensor& a, const Tensor& b, std::int64_t dim, bool backwards) {
  const Tensor factors = dense(a), terms = dense(b);
  const Tensor y = make_tensor(b.shape(), b.dtype());
  dispatch_floating("linear_scan", b.dtype(), [&]<class T>() {
    const T* const factor = data_of<T>(factors);
    const T* const term = data_of<T>(terms);
    T* const to = data_of<T>(y);
    for_each_line(b.shape(), dim, [=](std::int64_t start, std::int64_t stride, std::int64_t n) {
      Wide<T> total = 0, tie = 0;
      for (std::int64_t i = 0; i < n; ++i) {
        const std::int64_t at = start + (backwards ? n - 1 - i : i) * stride;
        if (!backwards) tie = factor[at];
        total = i == 0 ? Wide<T>(term[at]) : term[at] + tie * total;
        if (backwards) tie = factor[at];
        to[at] = static_cast<T>(total);
      }
    });
  });
  return record("linear_scan", y,
                wrt(a,
                    [a = Saved(a), dim, backwards](const Tensor& g, const Tensor& y_saved) {
                      const Tensor other = linear_scan(a, g, dim, !backwards);
                      return backwards ? y_saved * previous(other, dim, 0) : other * previous(y_saved, dim, 0);
                    }),
                wrt(b, [a = Saved(a), dim, backwards](const Tensor& g) { return linear_scan(a, g, dim, !backwards); }));
}

// The product of all elements before x[i], times the sum over j >= i of g[j] x[i + 1] ... x[j]: no division by x[i].
Tensor cumprod_derivative(const Tensor& g, const Tensor& x, const Tensor& y, std::int64_t dim) {
  return previous(y, dim, 1) * linear_scan(x, g, dim, true);
}

template <class T>
void running_product(T* y, const T* x, const Shape& shape, std::int64_t dim) {
  for_each_line(shape, dim, [=](std::int64_t start, std::int64_t stride, std::int64_t n) {
    Wide<T> product = 1;
    for (std::int64_t i = 0; i < n; ++i) {
      product *= static_cast<Wide<T>>(x[start + i * stride]);
      y[start + i * stride] = static_cast<T>(product);
    }
  });
}

// A line is as long as its dim; a 0-d tensor is a line of one.
template <class F>
Tensor along(const char* op, const Tensor& x, std::int64_t dim, const F& f) {
  const std::int64_t d = wrap_dim(op, dim, x.dim());
  const Tensor numbers = x.dtype() == boolean ? x.to(int64) : x;
  return x.dim() == 0 ? reshape(f(reshape(numbers, {1}), 0), {}) : f(numbers, d);
}

// Over the last dim. It is the last of the running products, and so is its derivative.
Tensor product_of_lines(const Tensor& x) {
  const std::int64_t last = x.dim() - 1, n = x.shape()[last];
  Shape shape = x.shape();
  shape.erase(last);
  const Tensor source = dense(x);
  const Tensor y = make_tensor(shape, x.dtype());
  dispatch_numeric("prod", x.dtype(), [&]<class T>() {
    const T* const from = data_of<T>(source);
    T* const to = data_of<T>(y);
    std::fill_n(to, y.numel(), T(1));
    for_each_line(x.shape(), last, [=](std::int64_t start, std::int64_t, std::int64_t count) {
      Wide<T> product = 1;
      for (std::int64_t i = 0; i < count; ++i) product *= static_cast<Wide<T>>(from[start + i]);
      to[start / count] = static_cast<T>(product);
    });
  });
  return record("prod", y, wrt(x, [x = Saved(x), last, n](const Tensor& g) {
                  if (n == 0) return zeros_like(x.get());
                  Shape before = x.shape();
                  before[last] = n - 1;
                  const Tensor of_last = cat({zeros(before, {.dtype = g.dtype()}), unsqueeze(g, last)}, last);
                  return cumprod_derivative(of_last, x, cumprod(x, last), last);
                }));
}

}  // namespace

Tensor cumsum(const Tensor& x, std::int64_t dim) {
  return along("cumsum", x, dim, [](const Tensor& numbers, std::int64_t d) { return running_sum(numbers, d, false); });
}

Tensor cumprod(const Tensor& x, std::int64_t dim) {
  return along("cumprod", x, dim, [](const Tensor& numbers, std::int64_t d) {
    const Tensor source = dense(numbers);
    const Tensor y = make_tensor(numbers.shape(), numbers.dtype());
    dispatch_numeric("cumprod", numbers.dtype(),
                     [&]<class T>() { running_product(data_of<T>(y), data_of<T>(source), y.shape(), d); });
    return record("cumprod", y, wrt(numbers, [x = Saved(numbers), d](const Tensor& g, const Tensor& y_saved) {
                    return y_saved.numel() == 0 ? zeros_like(g) : cumprod_derivative(g, x, y_saved, d);
                  }));
  });
}

Tensor prod(const Tensor& x, const Dims& dims, const ReduceOptions& options) {
  if (x.dtype() == boolean) return prod(x.to(int64), dims, options);
  // The reduced dims as one, the last.
  const Groups g = groups("prod", x.shape(), dims);
  Shape lines = g.dropped;
  lines.push_back(g.size);
  const Tensor y = product_of_lines(reshape(permute(x, g.order), lines));
  return options.keepdim ? reshape(y, g.kept) : y;
}

Tensor Tensor::cumsum(std::int64_t dim) const { return gradus::cumsum(*this, dim); }
Tensor Tensor::cumprod(std::int64_t dim) const { return gradus::cumprod(*this, dim); }
Tensor Tensor::prod(const Dims& dims, const ReduceOptions& options) const { return gradus::prod(*this, dims, options); }

}  // namespace gradus
