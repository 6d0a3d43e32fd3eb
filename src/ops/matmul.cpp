// Products of matrices. One primitive, op(A) op(B) through GEMM, whose derivatives are the same primitive again.

#include "autograd/record.hpp"
#include "gradus/factory.hpp"
#include "gradus/ops.hpp"
#include "kernels/kernels.hpp"
#include "ops/copy.hpp"
#include "ops/products.hpp"
#include "ops/rows.hpp"

namespace gradus {
namespace {

// The last two dims of a tensor as BLAS sees them: row major, perhaps transposed, rows `ld` apart.
struct Matrix {
  Tensor x;  // keeps a copy alive where one was needed
  bool transposed = false;
  std::int64_t rows = 0, cols = 0, ld = 1;
};

Matrix as_matrix(const Tensor& tensor) {
  const Shape& shape = tensor.shape();
  const std::int64_t rows = shape[shape.size() - 2];
  const std::int64_t cols = shape.back();
  const std::int64_t row_stride = rows == 1 ? std::max<std::int64_t>(cols, 1) : tensor.strides()[shape.size() - 2];
  const std::int64_t col_stride = cols == 1 ? 1 : tensor.strides().back();
  if (col_stride == 1 && row_stride >= std::max<std::int64_t>(cols, 1)) return {tensor, false, rows, cols, row_stride};
  const std::int64_t tall_stride = cols == 1 ? std::max<std::int64_t>(rows, 1) : col_stride;
  if ((rows == 1 || row_stride == 1) && tall_stride >= std::max<std::int64_t>(rows, 1)) {
    return {tensor, true, rows, cols, tall_stride};
  }
  return {dense(tensor), false, rows, cols, std::max<std::int64_t>(cols, 1)};
}

template <class T>
void multiply(const Matrix& a, bool flip_a, std::int64_t a_offset, const Matrix& b, bool flip_b, std::int64_t b_offset,
              T* c, std::int64_t m, std::int64_t n, std::int64_t k) {
  kernels::gemm<T>(a.transposed != flip_a, b.transposed != flip_b, m, n, k, T{1}, data_of<T>(a.x) + a_offset, a.ld,
                   data_of<T>(b.x) + b_offset, b.ld, T{0}, c, std::max<std::int64_t>(n, 1));
}

// Batches of products: the leading dims broadcast.
Tensor batched(const Tensor& a, const Tensor& b) {
  const Shape& sa = a.shape();
  const Shape& sb = b.shape();
  const auto leading = [](const Shape& shape) {
    Shape result = shape;
    result.erase(result.size() - 1);
    result.erase(result.size() - 1);
    return result;
  };
  const std::int64_t m = sa[sa.size() - 2], k = sa.back(), n = sb.back();
  const Shape batch = broadcast_shapes("matmul: batch dims", leading(sa), leading(sb));
  Shape shape = batch;
  shape.push_back(m);
  shape.push_back(n);
  const Matrix ma = as_matrix(a);
  const Matrix mb = as_matrix(b);
  Tensor out = make_tensor(shape, a.dtype());
  const auto batch_strides = [&](const Tensor& x) {
    return broadcast_strides(make_view(x, leading(x.shape()), leading(x.strides()), 0), batch);
  };
  Shape c_strides = contiguous_strides(batch);
  for (std::int64_t i = 0; i < batch.size(); ++i) c_strides[i] *= m * n;
  const Rows<3> rows(batch, {c_strides, batch_strides(ma.x), batch_strides(mb.x)});
  dispatch_floating("matmul", a.dtype(), [&]<class T>() {
    rows.run([&](const auto& offset, std::int64_t count) {
      for (std::int64_t i = 0; i < count; ++i) {
        multiply<T>(ma, false, offset[1] + i * rows.stride(1), mb, false, offset[2] + i * rows.stride(2),
                    data_of<T>(out) + offset[0] + i * rows.stride(0), m, n, k);
      }
    });
  });
  return out;
}

Tensor batched_matmul(const Tensor& a, const Tensor& b) {
  return record("matmul", batched(a, b),
                wrt(a, [b = Saved(b)](const Tensor& g) { return matmul(g, transpose(b, -1, -2)); }),
                wrt(b, [a = Saved(a)](const Tensor& g) { return matmul(transpose(a, -1, -2), g); }));
}

void check_inner(const Tensor& a, const Tensor& b) {
  const std::int64_t k = b.dim() == 1 ? b.size(0) : b.size(-2);
  if (a.size(-1) != k) fail("matmul: inner dimensions differ: {} x {}", a.shape(), b.shape());
}

}  // namespace

void check_product_dtypes(const char* op, const Tensor& a, const Tensor& b) {
  if (a.dtype() != b.dtype()) fail("{}: dtypes differ: {} and {}; convert one with to()", op, a.dtype(), b.dtype());
  if (!is_floating_point(a.dtype())) fail("{}: a floating dtype is needed, got {}", op, a.dtype());
}

Tensor product(const Tensor& a, bool transpose_a, const Tensor& b, bool transpose_b) {
  const Matrix ma = as_matrix(a);
  const Matrix mb = as_matrix(b);
  const std::int64_t m = transpose_a ? ma.cols : ma.rows;
  const std::int64_t k = transpose_a ? ma.rows : ma.cols;
  const std::int64_t n = transpose_b ? mb.rows : mb.cols;
  Tensor out = make_tensor({m, n}, a.dtype());
  dispatch_floating("matmul", a.dtype(),
                    [&]<class T>() { multiply<T>(ma, transpose_a, 0, mb, transpose_b, 0, data_of<T>(out), m, n, k); });
  return out;
}

Tensor mm(const Tensor& a, bool transpose_a, const Tensor& b, bool transpose_b) {
  // C = A B: dA = G B^T, dB = A^T G; a transposed operand's derivative is transposed as well.
  return record("matmul", product(a, transpose_a, b, transpose_b),
                wrt(a,
                    [b = Saved(b), transpose_a, transpose_b](const Tensor& g) {
                      return transpose_a ? mm(b, transpose_b, g, true) : mm(g, false, b, !transpose_b);
                    }),
                wrt(b, [a = Saved(a), transpose_a, transpose_b](const Tensor& g) {
                  return transpose_b ? mm(g, true, a, transpose_a) : mm(a, !transpose_a, g, false);
                }));
}

Tensor matmul(const Tensor& a, const Tensor& b) {
  if (a.dim() == 0 || b.dim() == 0) fail("matmul: both operands need a dim: {} x {}", a.shape(), b.shape());
  check_product_dtypes("matmul", a, b);
  check_inner(a, b);
  if (a.dim() == 2 && b.dim() == 2) return mm(a, false, b, false);
  if (a.dim() == 1) {
    const Tensor product = matmul(unsqueeze(a, 0), b.dim() == 1 ? unsqueeze(b, 1) : b);
    return b.dim() == 1 ? reshape(product, {}) : squeeze(product, -2);
  }
  if (b.dim() == 1) return squeeze(matmul(a, unsqueeze(b, 1)), -1);
  if (b.dim() == 2 && a.is_contiguous()) {  // one large product instead of a batch of small ones
    Shape shape = a.shape();
    shape[shape.size() - 1] = b.size(1);
    const std::int64_t k = a.size(-1);
    return reshape(mm(reshape(a, {k == 0 ? shape.numel() / std::max<std::int64_t>(b.size(1), 1) : a.numel() / k, k}),
                      false, b, false),
                   shape);
  }
  return batched_matmul(a, b);
}

Tensor Tensor::matmul(const Tensor& other) const { return gradus::matmul(*this, other); }

}  // namespace gradus
