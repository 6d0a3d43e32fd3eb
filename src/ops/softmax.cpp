// softmax and its relatives, as one stable pass over rows.

#include "ops/softmax.hpp"
#include "autograd/record.hpp"
#include "gradus/factory.hpp"
#include "gradus/ops.hpp"
#include "kernels/kernels.hpp"
#include "ops/copy.hpp"
#include "ops/reduction.hpp"
#include "ops/rows.hpp"

namespace gradus {
namespace {

using kernels::table;

std::int64_t row_length(const Tensor& x) { return x.dim() == 0 ? 1 : x.shape().back(); }

// Calls f.operator()<T>(first row, number of rows, length) for blocks of rows of x.
template <class F>
void for_row_blocks(const char* op, const Tensor& x, const F& f) {
  const std::int64_t n = row_length(x);
  if (x.numel() == 0) return;
  dispatch_floating(op, x.dtype(), [&]<class T>() {
    kernels::parallel_for(
        0, x.numel() / n, std::max<std::int64_t>(1, parallel_grain / (4 * n)),
        [&](std::int64_t begin, std::int64_t end) { f.template operator()<T>(begin, end - begin, n); });
  });
}

template <class F>
Tensor map_rows(const char* op, const Tensor& x, const F& kernel) {
  if (!is_floating_point(x.dtype())) fail("{}: a floating dtype is needed, got {}", op, x.dtype());
  const Tensor input = dense(x);
  Tensor out = make_tensor(x.shape(), x.dtype());
  for_row_blocks(op, input, [&]<class T>(std::int64_t row, std::int64_t rows, std::int64_t n) {
    kernel.template operator()<T>()(data_of<T>(out) + row * n, data_of<T>(input) + row * n, rows, n);
  });
  return out;
}

template <class F>
Tensor map_row_pairs(const char* op, const Tensor& a, const Tensor& b, const F& kernel) {
  const Tensor x = dense(a);
  const Tensor z = dense(b);
  Tensor out = make_tensor(a.shape(), a.dtype());
  for_row_blocks(op, x, [&]<class T>(std::int64_t row, std::int64_t rows, std::int64_t n) {
    kernel.template operator()<T>()(data_of<T>(out) + row * n, data_of<T>(x) + row * n, data_of<T>(z) + row * n, rows,
                                    n);
  });
  return out;
}

Tensor softmax_rows(const Tensor& x) {
  return record("softmax", map_rows("softmax", x, []<class T>() { return table<T>().softmax; }),
                wrt(x, [](const Tensor& g, const Tensor& y) { return softmax_backward(g, y); }));
}

Tensor log_softmax_rows(const Tensor& x) {
  return record("log_softmax", map_rows("log_softmax", x, []<class T>() { return table<T>().log_softmax; }),
                wrt(x, [](const Tensor& g, const Tensor& y) { return log_softmax_backward(g, y); }));
}

// Kernels know rows only: another dim is brought to the end and back.
template <class F>
Tensor along(const char* op, const Tensor& x, std::int64_t dim, const F& f) {
  const std::int64_t d = wrap_dim(op, dim, x.dim());
  if (d + 1 >= x.dim()) return f(x);
  return transpose(f(transpose(x, d, -1)), d, -1).contiguous();
}

}  // namespace

Tensor softmax_backward(const Tensor& g, const Tensor& y) {
  return record("softmax_backward",
                map_row_pairs("softmax_backward", g, y, []<class T>() { return table<T>().softmax_backward; }),
                wrt(g, [y = Saved(y)](const Tensor& gg) { return softmax_backward(gg, y); }),
                wrt(y, [g = Saved(g), y = Saved(y)](const Tensor& gg) {
                  const ReduceOptions keep{.keepdim = true};
                  return gg * (g - sum(g * y, -1, keep)) - g * sum(gg * y, -1, keep);
                }));
}

Tensor log_softmax_backward(const Tensor& g, const Tensor& y) {
  return record("log_softmax_backward",
                map_row_pairs("log_softmax_backward", g, y, []<class T>() { return table<T>().log_softmax_backward; }),
                wrt(g, [y = Saved(y)](const Tensor& gg) { return gg - sum(gg * exp(y), -1, {.keepdim = true}); }),
                wrt(y, [g = Saved(g), y = Saved(y)](const Tensor& gg) {
                  return -(gg * exp(y) * sum(g, -1, {.keepdim = true}));
                }));
}

Tensor softmax(const Tensor& x, std::int64_t dim) { return along("softmax", x, dim, softmax_rows); }

Tensor softmin(const Tensor& x, std::int64_t dim) {
  wrap_dim("softmin", dim, x.dim());
  return softmax(-x, dim);
}

Tensor log_softmax(const Tensor& x, std::int64_t dim) { return along("log_softmax", x, dim, log_softmax_rows); }

Tensor logsumexp(const Tensor& x, const Dims& dims, const ReduceOptions& options) {
  if (!is_floating_point(x.dtype())) fail("logsumexp: a floating dtype is needed, got {}", x.dtype());
  const Groups p = groups("logsumexp", x.shape(), dims);
  const Tensor rows = dense(permute(x.detach(), p.order));
  Tensor y = make_tensor(options.keepdim ? p.kept : p.dropped, x.dtype());
  dispatch_floating("logsumexp", x.dtype(),
                    [&]<class T>() { table<T>().logsumexp(data_of<T>(y), data_of<T>(rows), y.numel(), p.size); });
  return record("logsumexp", y, wrt(x, [x = Saved(x), kept = p.kept](const Tensor& g, const Tensor& y_saved) {
                  // An infinite y leaves y - x without meaning; its softmax is 0 or NaN by exp alone.
                  return reshape(g, kept) * exp(x - reshape(y_saved, kept));
                }));
}

Tensor Tensor::softmax(std::int64_t dim) const { return gradus::softmax(*this, dim); }
Tensor Tensor::log_softmax(std::int64_t dim) const { return gradus::log_softmax(*this, dim); }
Tensor Tensor::logsumexp(const Dims& dims, const ReduceOptions& options) const {
  return gradus::logsumexp(*this, dims, options);
}

}  // namespace gradus
