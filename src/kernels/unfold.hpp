// Patches of an image as columns of a matrix: what makes a convolution a matrix product.
#pragma once

#include <algorithm>
#include <cstdint>

namespace gradus::kernels {

// A convolution along one dim: output i reads the inputs i * stride - padding + k * dilation, k in [0, kernel).
struct Window {
  std::int64_t size, kernel, stride, padding, dilation;
  std::int64_t outputs = fitting();

  // How many fit into the padded input.
  std::int64_t fitting() const { return (size + 2 * padding - dilation * (kernel - 1) - 1) / stride + 1; }
  std::int64_t first(std::int64_t k) const { return k * dilation - padding; }  // what output 0 reads

  // The outputs that read an input which exists: [begin, end).
  struct Range {
    std::int64_t begin, end;
    bool contains(std::int64_t i) const { return begin <= i && i < end; }
  };
  Range inside(std::int64_t k) const {
    const std::int64_t from = first(k);
    const std::int64_t begin = from >= 0 ? 0 : (-from + stride - 1) / stride;
    const std::int64_t end = size <= from ? 0 : (size - from - 1) / stride + 1;
    return {std::min(begin, outputs), std::max(std::min(end, outputs), std::min(begin, outputs))};
  }
};

// Calls visit(column row, output row, x range, input row) for each row of the columns of outputs [top, bottom).
template <class Visit>
void for_each_patch_row(std::int64_t channels, const Window& y, const Window& x, std::int64_t top, std::int64_t bottom,
                        const Visit& visit) {
  for (std::int64_t c = 0, row = 0; c < channels; ++c) {
    for (std::int64_t ky = 0; ky < y.kernel; ++ky) {
      for (std::int64_t kx = 0; kx < x.kernel; ++kx, ++row) {
        const Window::Range range = x.inside(kx);
        for (std::int64_t oy = top; oy < bottom; ++oy) {
          const std::int64_t iy = oy * y.stride + y.first(ky);
          const bool exists = iy >= 0 && iy < y.size;
          visit(row * (bottom - top) + (oy - top), exists ? range : Window::Range{0, 0},
                exists ? (c * y.size + iy) * x.size + range.begin * x.stride + x.first(kx) : 0);
        }
      }
    }
  }
}

// columns (channels * y.kernel * x.kernel, (bottom - top) * width) of image (channels, y.size, x.size).
template <class T>
void unfold(T* columns, const T* image, std::int64_t channels, const Window& y, const Window& x, std::int64_t top,
            std::int64_t bottom) {
  const std::int64_t width = x.outputs;
  for_each_patch_row(channels, y, x, top, bottom, [&](std::int64_t row, Window::Range r, std::int64_t from) {
    T* const out = columns + row * width;
    std::fill(out, out + r.begin, T(0));
    if (x.stride == 1) {
      std::copy_n(image + from, r.end - r.begin, out + r.begin);
    } else {
      for (std::int64_t i = r.begin; i < r.end; ++i) out[i] = image[from + (i - r.begin) * x.stride];
    }
    std::fill(out + r.end, out + width, T(0));
  });
}

// The transposed map: adds each entry of the columns to the pixel that it was read from.
template <class T>
void fold_add(T* image, const T* columns, std::int64_t channels, const Window& y, const Window& x, std::int64_t top,
              std::int64_t bottom) {
  const std::int64_t width = x.outputs;
  for_each_patch_row(channels, y, x, top, bottom, [&](std::int64_t row, Window::Range r, std::int64_t from) {
    const T* const in = columns + row * width;
    if (x.stride == 1) {
      for (std::int64_t i = r.begin; i < r.end; ++i) image[from + i - r.begin] += in[i];
    } else {
      for (std::int64_t i = r.begin; i < r.end; ++i) image[from + (i - r.begin) * x.stride] += in[i];
    }
  });
}

}  // namespace gradus::kernels
