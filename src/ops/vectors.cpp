// Products of vectors and matrices that are matmul with stricter shapes.

#include "autograd/record.hpp"
#include "gradus/factory.hpp"
#include "gradus/ops.hpp"
#include "ops/products.hpp"
#include "tensor/impl.hpp"

namespace gradus {
namespace {

void check_dims(const char* op, const Tensor& a, std::int64_t dims_a, const Tensor& b, std::int64_t dims_b) {
  if (a.dim() != dims_a || b.dim() != dims_b) {
    fail("{}: {} and {} dims are needed, got {} and {}", op, dims_a, dims_b, a.shape(), b.shape());
  }
  check_product_dtypes(op, a, b);
}

void check_inner(const char* op, const Tensor& a, const Tensor& b, std::int64_t inner_of_b) {
  if (a.size(-1) != b.size(inner_of_b)) fail("{}: inner dimensions differ: {} x {}", op, a.shape(), b.shape());
}

// A zero that stands for an input that is not read but belongs to the graph all the same: 0 times NaN would be NaN.
Tensor unread(const char* op, const Tensor& input) {
  return record(op, zeros({}, {.dtype = input.dtype()}),
                wrt(input, [shape = input.shape()](const Tensor& g) { return zeros(shape, {.dtype = g.dtype()}); }));
}

}  // namespace

Tensor dot(const Tensor& a, const Tensor& b) {
  check_dims("dot", a, 1, b, 1);
  check_inner("dot", a, b, 0);
  return matmul(a, b);
}

Tensor outer(const Tensor& a, const Tensor& b) {
  check_dims("outer", a, 1, b, 1);
  return unsqueeze(a, 1) * b;
}

Tensor mv(const Tensor& mat, const Tensor& vec) {
  check_dims("mv", mat, 2, vec, 1);
  check_inner("mv", mat, vec, 0);
  return matmul(mat, vec);
}

Tensor bmm(const Tensor& a, const Tensor& b) {
  check_dims("bmm", a, 3, b, 3);
  if (a.size(0) != b.size(0)) fail("bmm: batches differ: {} and {}", a.shape(), b.shape());
  check_inner("bmm", a, b, 1);
  return matmul(a, b);
}

Tensor addmm(const Tensor& input, const Tensor& mat1, const Tensor& mat2, const AddmmOptions& options) {
  check_dims("addmm", mat1, 2, mat2, 2);
  check_inner("addmm", mat1, mat2, 0);
  check_product_dtypes("addmm", input, mat1);
  const Shape shape{mat1.size(0), mat2.size(1)};
  if (broadcast_shapes("addmm", input.shape(), shape) != shape) {
    fail("addmm: the input of shape {} does not expand to {}", input.shape(), shape);
  }
  const Tensor product = matmul(mat1, mat2);
  const Tensor scaled = options.alpha == 1 ? product : product * options.alpha;
  return options.beta == 0 ? scaled + unread("addmm", input) : add(scaled, input, options.beta);
}

}  // namespace gradus
