// Matrix products of the weight with patches of the image, a few output rows at a time: so the columns stay in the
// cache, and are never all in memory.
#include "kernels/convolution.hpp"

#include "kernels/convolution_parts.hpp"
#include "kernels/direct_convolution.hpp"
#include "kernels/kernels.hpp"

namespace gradus::kernels {
namespace {

constexpr std::int64_t columns_in_cache = 48 * 1024;  // elements: what a core's second cache holds beside the weight

// The columns are the image itself.
bool is_pointwise(const Convolution& c) {
  return c.kernel() == 1 && c.y.stride == 1 && c.x.stride == 1 && c.y.padding == 0 && c.x.padding == 0 &&
         c.y.outputs == c.y.size && c.x.outputs == c.x.size;
}

// Output rows that are computed at a time.
std::int64_t tile(const Convolution& c) {
  return std::clamp<std::int64_t>(columns_in_cache / std::max<std::int64_t>(1, c.depth() * c.x.outputs), 1,
                                  std::max<std::int64_t>(1, c.y.outputs));
}

template <class T>
Scratch<T> columns_of_tile(const Convolution& c) {
  return Scratch<T>(c.depth() * tile(c) * c.x.outputs);
}

// Calls f(group, top, bottom) for each tile of an image.
template <class F>
void for_each_tile(const Convolution& c, const F& f) {
  const std::int64_t rows = c.y.outputs, step = tile(c);
  for (std::int64_t group = 0; group < c.groups; ++group) {
    for (std::int64_t top = 0; top < rows; top += step) f(group, top, std::min(top + step, rows));
  }
}

}  // namespace

template <class T>
void convolve(const Convolution& c, T* result, const T* image, const T* weight, const T* bias) {
  if (is_direct<T>(c)) return convolve_directly(c, result, image, weight, bias);
  const std::int64_t depth = c.depth(), pixels = c.pixels(), rows = c.group_out();
  for_parts(c, c.batch, [&](std::int64_t begin, std::int64_t end) {
    const Scratch<T> scratch = columns_of_tile<T>(c);
    for (std::int64_t n = begin; n < end; ++n) {
      T* const out = result + n * c.result();
      for (std::int64_t o = 0; bias && o < c.out; ++o) std::fill_n(out + o * pixels, pixels, bias[o]);
      for_each_tile(c, [&](std::int64_t group, std::int64_t top, std::int64_t bottom) {
        const T* columns = image + n * c.image() + group * c.group_image();
        std::int64_t count = (bottom - top) * c.x.outputs, pitch = count;
        if (is_pointwise(c)) {
          columns += top * c.x.outputs;
          pitch = pixels;
        } else {
          unfold(scratch.data(), columns, c.group_in(), c.y, c.x, top, bottom);
          columns = scratch.data();
        }
        gemm<T>(false, false, rows, count, depth, T(1), weight + group * rows * depth, depth, columns, pitch,
                T(bias ? 1 : 0), out + group * rows * pixels + top * c.x.outputs, pixels);
      });
    }
  });
}

template <class T>
void convolve_by_image(const Convolution& c, T* image, const T* weight, const T* result) {
  if (is_direct<T>(c)) return convolve_directly_by_image(c, image, weight, result);
  const std::int64_t depth = c.depth(), pixels = c.pixels(), rows = c.group_out();
  for_parts(c, c.batch, [&](std::int64_t begin, std::int64_t end) {
    const Scratch<T> columns = columns_of_tile<T>(c);
    for (std::int64_t n = begin; n < end; ++n) {
      T* const out = image + n * c.image();
      std::fill_n(out, c.image(), T(0));
      for_each_tile(c, [&](std::int64_t group, std::int64_t top, std::int64_t bottom) {
        const std::int64_t count = (bottom - top) * c.x.outputs;
        const T* const g = result + (n * c.out + group * rows) * pixels + top * c.x.outputs;
        gemm<T>(true, false, depth, count, rows, T(1), weight + group * rows * depth, depth, g, pixels, T(0),
                columns.data(), count);
        fold_add(out + group * c.group_image(), columns.data(), c.group_in(), c.y, c.x, top, bottom);
      });
    }
  });
}

template <class T>
void convolve_by_weight(const Convolution& c, T* weight, const T* image, const T* result) {
  if (is_direct<T>(c)) return convolve_directly_by_weight(c, weight, image, result);
  const std::int64_t depth = c.depth(), pixels = c.pixels(), rows = c.group_out();
  sum_over_pieces(c, weight, [&](T* sum, std::int64_t begin, std::int64_t end) {
    const Scratch<T> columns = columns_of_tile<T>(c);
    for (std::int64_t n = begin; n < end; ++n) {
      for_each_tile(c, [&](std::int64_t group, std::int64_t top, std::int64_t bottom) {
        const std::int64_t count = (bottom - top) * c.x.outputs;
        unfold(columns.data(), image + n * c.image() + group * c.group_image(), c.group_in(), c.y, c.x, top, bottom);
        const T* const g = result + (n * c.out + group * rows) * pixels + top * c.x.outputs;
        gemm<T>(false, true, rows, depth, count, T(1), g, pixels, columns.data(), count, T(1),
                sum + group * rows * depth, depth);
      });
    }
  });
}

template void convolve(const Convolution&, float*, const float*, const float*, const float*);
template void convolve(const Convolution&, double*, const double*, const double*, const double*);
template void convolve_by_image(const Convolution&, float*, const float*, const float*);
template void convolve_by_image(const Convolution&, double*, const double*, const double*);
template void convolve_by_weight(const Convolution&, float*, const float*, const float*);
template void convolve_by_weight(const Convolution&, double*, const double*, const double*);

}  // namespace gradus::kernels
