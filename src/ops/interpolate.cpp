// Each new pixel is a weighted mean of up to four old ones: rows and columns choose theirs on their own. The map is
// linear, so it and its transpose, which spreads a gradient over the old pixels, are one another's derivatives.
#include "gradus/ops/interpolate.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

#include "autograd/record.hpp"
#include "gradus/ops.hpp"
#include "kernels/parallel.hpp"
#include "ops/copy.hpp"

namespace gradus {
namespace {

constexpr std::int64_t grain = 32768;  // pixels that one thread makes, at least

// What a new row, or column, is made of: `share` of the second old one, the rest of the first.
struct Source {
  std::int64_t first, second;
  double share;
};

struct Resizing {
  std::int64_t height = 0, width = 0;  // of the old image
  std::vector<Source> rows, columns;
  bool nearest = false;

  std::int64_t old_pixels() const { return height * width; }
  std::int64_t new_height() const { return static_cast<std::int64_t>(rows.size()); }
  std::int64_t new_width() const { return static_cast<std::int64_t>(columns.size()); }
  std::int64_t new_pixels() const { return new_height() * new_width(); }
};
using Shared = std::shared_ptr<const Resizing>;

// PyTorch counts in float32 here, and so the same pixel is the nearest.
Source nearest_source(std::int64_t i, std::int64_t size, std::int64_t new_size, std::optional<double> factor) {
  const float step = factor ? static_cast<float>(1 / *factor) : static_cast<float>(size) / static_cast<float>(new_size);
  const std::int64_t from = new_size == size ? i
                            : new_size == 2 * size
                                ? i / 2
                                : static_cast<std::int64_t>(std::floor(static_cast<float>(i) * step));
  return {std::min(from, size - 1), std::min(from, size - 1), 0};
}

Source linear_source(std::int64_t i, std::int64_t size, std::int64_t new_size, std::optional<double> factor,
                     bool align_corners) {
  if (new_size == size) return {i, i, 0};  // whatever the factor, as in PyTorch
  const auto index = static_cast<double>(i), n = static_cast<double>(size), m = static_cast<double>(new_size);
  const double place = align_corners ? (new_size > 1 ? index * (n - 1) / (m - 1) : 0)
                                     : std::max(0.0, (index + 0.5) * (factor ? 1 / *factor : n / m) - 0.5);
  const auto first = std::min(static_cast<std::int64_t>(place), size - 1);
  return {first, std::min(first + 1, size - 1), std::min(place - static_cast<double>(first), 1.0)};
}

std::vector<Source> sources(std::int64_t size, std::int64_t new_size, std::optional<double> factor,
                            const InterpolateOptions& o) {
  std::vector<Source> result;
  for (std::int64_t i = 0; i < new_size; ++i) {
    result.push_back(o.mode == InterpolateMode::nearest ? nearest_source(i, size, new_size, factor)
                                                        : linear_source(i, size, new_size, factor, o.align_corners));
  }
  return result;
}

template <class T>
void resize_image(T* result, const T* image, const Resizing& r) {
  for (const Source& row : r.rows) {
    const T *const upper = image + row.first * r.width, *const lower = image + row.second * r.width;
    const T down = static_cast<T>(row.share);
    for (const Source& column : r.columns) {
      if (r.nearest) {
        *result++ = upper[column.first];
        continue;
      }
      const T right = static_cast<T>(column.share);
      const T above = (1 - right) * upper[column.first] + right * upper[column.second];
      const T below = (1 - right) * lower[column.first] + right * lower[column.second];
      *result++ = (1 - down) * above + down * below;
    }
  }
}

template <class T>
void spread_image(T* image, const T* gradient, const Resizing& r) {
  std::fill_n(image, r.old_pixels(), T(0));
  for (const Source& row : r.rows) {
    T *const upper = image + row.first * r.width, *const lower = image + row.second * r.width;
    const T down = static_cast<T>(row.share);
    for (const Source& column : r.columns) {
      const T g = *gradient++;
      if (r.nearest) {
        upper[column.first] += g;
        continue;
      }
      const T right = static_cast<T>(column.share), above = (1 - down) * g, below = down * g;
      upper[column.first] += (1 - right) * above;
      upper[column.second] += right * above;
      lower[column.first] += (1 - right) * below;
      lower[column.second] += right * below;
    }
  }
}

// Calls f(image) for each image, on several threads if there are enough pixels.
template <class F>
void for_images(std::int64_t images, std::int64_t pixels, const F& f) {
  kernels::parallel_for(0, images, std::max<std::int64_t>(1, grain / std::max<std::int64_t>(1, pixels)),
                        [&](std::int64_t begin, std::int64_t end) {
                          for (std::int64_t n = begin; n < end; ++n) f(n);
                        });
}

Tensor spread(const Tensor& gradient, const Shared& r);

// (batch, channels, h, w) -> (batch, channels, h', w')
Tensor resized(const Tensor& x, const Shared& r) {
  Tensor result = make_tensor({x.size(0), x.size(1), r->new_height(), r->new_width()}, x.dtype());
  const Tensor source = dense(x);
  dispatch_floating("interpolate", x.dtype(), [&]<class T>() {
    for_images(x.size(0) * x.size(1), r->new_pixels(), [&](std::int64_t n) {
      resize_image(data_of<T>(result) + n * r->new_pixels(), data_of<T>(source) + n * r->old_pixels(), *r);
    });
  });
  return record("interpolate", std::move(result), wrt(x, [r](const Tensor& g) { return spread(g, r); }));
}

Tensor spread(const Tensor& gradient, const Shared& r) {
  Tensor result = make_tensor({gradient.size(0), gradient.size(1), r->height, r->width}, gradient.dtype());
  const Tensor source = dense(gradient);
  dispatch_floating("interpolate", gradient.dtype(), [&]<class T>() {
    for_images(gradient.size(0) * gradient.size(1), r->new_pixels(), [&](std::int64_t n) {
      spread_image(data_of<T>(result) + n * r->old_pixels(), data_of<T>(source) + n * r->new_pixels(), *r);
    });
  });
  return record("interpolate_backward", std::move(result),
                wrt(gradient, [r](const Tensor& gg) { return resized(gg, r); }));
}

void check(const Tensor& x, const InterpolateOptions& o) {
  if (x.dim() != 3 && x.dim() != 4) {
    fail("interpolate: rows (batch, channels, n) or images (batch, channels, h, w) are needed, got {}", x.shape());
  }
  if (!is_floating_point(x.dtype())) fail("interpolate: a floating dtype is needed, got {}", x.dtype());
  if (o.mode == InterpolateMode::linear && x.dim() != 3) fail("interpolate: linear is for rows, got {}", x.shape());
  if (o.mode == InterpolateMode::bilinear && x.dim() != 4) {
    fail("interpolate: bilinear is for images, got {}", x.shape());
  }
  if (o.mode == InterpolateMode::nearest && o.align_corners) {
    fail("interpolate: align_corners is for linear and bilinear, not nearest");
  }
  if (o.size.has_value() == o.scale_factor.has_value()) {
    fail("interpolate: either size or scale_factor is needed, {} given", o.size ? "both are" : "neither is");
  }
}

std::int64_t new_size(const Tensor& x, std::int64_t dim, const InterpolateOptions& o) {
  const auto i = static_cast<std::size_t>(dim + 2);  // -2 or -1: height or width
  const std::int64_t size = x.size(dim);
  if (o.scale_factor && !((*o.scale_factor)[i] > 0 && (*o.scale_factor)[i] < 1e6)) {
    fail("interpolate: scale_factor must be above 0, got {}", (*o.scale_factor)[i]);
  }
  const std::int64_t result =
      o.size ? (*o.size)[i] : static_cast<std::int64_t>(std::floor(static_cast<double>(size) * (*o.scale_factor)[i]));
  if (size < 1 || result < 1) fail("interpolate: sizes must be at least 1, got {} for {}", result, x.shape());
  return result;
}

}  // namespace

Tensor interpolate(const Tensor& x, const InterpolateOptions& o) {
  check(x, o);
  const bool is_row = x.dim() == 3;
  const Tensor image = is_row ? unsqueeze(x, 2) : x;
  const auto factor = [&](std::size_t i) {
    return o.scale_factor ? std::optional((*o.scale_factor)[i]) : std::nullopt;
  };
  Resizing r;
  r.height = image.size(2);
  r.width = image.size(3);
  r.nearest = o.mode == InterpolateMode::nearest;
  r.rows = is_row ? std::vector<Source>{{0, 0, 0}} : sources(r.height, new_size(image, -2, o), factor(0), o);
  r.columns = sources(r.width, new_size(image, -1, o), factor(1), o);
  const Tensor y = resized(image, std::make_shared<const Resizing>(std::move(r)));
  return is_row ? squeeze(y, 2) : y;
}

}  // namespace gradus
