#include <algorithm>

#include "autograd/observer.hpp"
#include "autograd/record.hpp"
#include "kernels/kernels.hpp"
#include "ops/copy.hpp"
#include "ops/derivatives.hpp"
#include "ops/pooling.hpp"

namespace gradus {
namespace {

using kernels::Window;

// The largest element of each window of an image, and where in the image it is. All outputs of a row look at their
// first element, then at their second, and so on.
template <class T>
void largest_of_windows(T* result, std::int64_t* places, const T* image, const Window& y, const Window& x) {
  std::fill_n(places, y.outputs * x.outputs, -1);
  for (std::int64_t i = 0; i < y.outputs; ++i, result += x.outputs, places += x.outputs) {
    for (std::int64_t k = 0; k < y.kernel; ++k) {
      const std::int64_t row = i * y.stride + y.first(k);
      if (row < 0 || row >= y.size) continue;
      for (std::int64_t l = 0; l < x.kernel; ++l) {
        const auto [begin, end] = x.inside(l);
        const std::int64_t from = row * x.size + begin * x.stride + x.first(l);
        kernels::table<T>().keep_larger(result + begin, places + begin, image + from, x.stride, from, end - begin);
      }
    }
  }
}

}  // namespace

Tensor max_pool2d(const Tensor& x, const Pair& kernel_size, const MaxPool2dOptions& o) {
  check_image("max_pool2d", x);
  const Pair stride = o.stride.value_or(kernel_size);
  const auto window = [&](std::size_t i, std::int64_t size) {
    return pooling_window("max_pool2d", size, kernel_size[i], stride[i], o.padding[i], o.dilation[i], o.ceil_mode);
  };
  const Window rows = window(0, x.size(-2)), columns = window(1, x.size(-1));
  const std::int64_t outputs = rows.outputs * columns.outputs, pixels = rows.size * columns.size,
                     images = x.numel() / pixels;
  Tensor result = make_tensor(resized(x.shape(), rows.outputs, columns.outputs), x.dtype());
  const Tensor places = make_tensor({images, outputs}, int64), source = dense(x);
  dispatch_floating("max_pool2d", x.dtype(), [&]<class T>() {
    for_each_image(images, outputs * rows.kernel * columns.kernel, [&](std::int64_t n) {
      largest_of_windows(data_of<T>(result) + n * outputs, data_of<std::int64_t>(places) + n * outputs,
                         data_of<T>(source) + n * pixels, rows, columns);
    });
  });
  note_branches("max_pool2d", [&] { return places; });
  return record("max_pool2d", std::move(result),
                wrt(x, [shape = x.shape(), images, pixels, places = Saved(places)](const Tensor& g) {
                  return reshape(scatter_add_zeros(reshape(g, places.shape()), {images, pixels}, 1, places), shape);
                }));
}

Tensor max_pool1d(const Tensor& x, std::int64_t kernel_size, const MaxPool1dOptions& o) {
  return on_rows("max_pool1d", x, [&](const Tensor& image) {
    return max_pool2d(
        image, {1, kernel_size},
        {.stride = flat(o.stride), .padding = {0, o.padding}, .dilation = {1, o.dilation}, .ceil_mode = o.ceil_mode});
  });
}

}  // namespace gradus
