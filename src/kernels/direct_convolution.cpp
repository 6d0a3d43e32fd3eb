#include "kernels/direct_convolution.hpp"

#include "kernels/convolution_parts.hpp"
#include "kernels/kernels.hpp"

namespace gradus::kernels {
namespace {

constexpr std::int64_t overread = 16;               // the kernels may read a batch beyond the end
constexpr std::int64_t bytes_in_cache = 512 << 10;  // of a core's second cache

// An image as large as the taps reach, with zeros where there is no pixel.
struct Frame {
  std::int64_t channels, rows, pitch;

  explicit Frame(const Convolution& c)
      : channels(c.in),
        rows(c.y.outputs + c.y.dilation * (c.y.kernel - 1)),
        pitch(c.x.outputs + c.x.dilation * (c.x.kernel - 1)) {}

  std::int64_t size() const { return channels * rows * pitch; }

  template <class T>
  void fill(T* framed, const T* image, const Window& y, const Window& x) const {
    const std::int64_t begin = std::clamp<std::int64_t>(x.padding, 0, pitch);
    const std::int64_t end = std::clamp<std::int64_t>(x.padding + x.size, begin, pitch);
    for (std::int64_t channel = 0; channel < channels; ++channel, image += y.size * x.size) {
      for (std::int64_t row = 0; row < rows; ++row, framed += pitch) {
        const std::int64_t from = row - y.padding;
        if (from < 0 || from >= y.size) {
          std::fill_n(framed, pitch, T(0));
          continue;
        }
        std::fill_n(framed, begin, T(0));
        std::copy_n(image + from * x.size + begin - x.padding, end - begin, framed + begin);
        std::fill(framed + end, framed + pitch, T(0));
      }
    }
  }

  // Where the taps of a group find their pixels: (depth)
  void write_offsets(std::int64_t* next, const Convolution& c) const {
    for (std::int64_t channel = 0; channel < c.group_in(); ++channel) {
      for (std::int64_t i = 0; i < c.y.kernel; ++i) {
        for (std::int64_t j = 0; j < c.x.kernel; ++j) {
          *next++ = (channel * rows + i * c.y.dilation) * pitch + j * c.x.dilation;
        }
      }
    }
  }

  template <class T>
  Taps<T> taps(const Convolution& c, const T* framed, std::int64_t images, std::int64_t group,
               const Scratch<std::int64_t>& offsets) const {
    return {framed + group * (size() / c.groups),
            pitch,
            images,
            size(),
            offsets.data(),
            c.depth(),
            c.y.outputs,
            c.x.outputs};
  }
};

// The convolution that takes the derivative by the result to that by the image. Its weight is flipped.
Convolution backwards(const Convolution& c) {
  const auto back = [](const Window& w) {
    return Window{w.outputs, w.kernel, 1, w.dilation * (w.kernel - 1) - w.padding, w.dilation, w.size};
  };
  return {c.batch, c.out, c.in, c.groups, back(c.y), back(c.x)};
}

// flipped[group][in][out][k] = weight[group][out][in][last - k]
template <class T>
void flip(const Convolution& c, T* flipped, const T* weight) {
  const std::int64_t size = c.kernel();
  for (std::int64_t group = 0; group < c.groups; ++group, weight += c.group_out() * c.depth()) {
    for (std::int64_t i = 0; i < c.group_in(); ++i) {
      for (std::int64_t o = 0; o < c.group_out(); ++o, flipped += size) {
        std::reverse_copy(weight + o * c.depth() + i * size, weight + o * c.depth() + (i + 1) * size, flipped);
      }
    }
  }
}

}  // namespace

// What is computed in a row beyond its end is lost: then products of matrices are faster.
template <class T>
bool is_direct(const Convolution& c) {
  const std::int64_t lanes = table<T>().lanes, computed = (c.x.outputs + lanes - 1) / lanes * lanes;
  return c.y.stride == 1 && c.x.stride == 1 && c.kernel() > 1 && 5 * c.x.outputs > 3 * computed;
}

template <class T>
void convolve_directly(const Convolution& c, T* result, const T* image, const T* weight, const T* bias) {
  const Frame frame(c);
  const Scratch<std::int64_t> offsets(c.depth());
  frame.write_offsets(offsets.data(), c);
  for_parts(c, c.batch, [&](std::int64_t begin, std::int64_t end) {
    const Scratch<T> framed(frame.size() + overread);
    std::fill_n(framed.data() + frame.size(), overread, T(0));
    for (std::int64_t n = begin; n < end; ++n) {
      frame.fill(framed.data(), image + n * c.image(), c.y, c.x);
      for (std::int64_t group = 0; group < c.groups; ++group) {
        const std::int64_t first = group * c.group_out();
        table<T>().convolve(frame.taps(c, framed.data(), 1, group, offsets),
                            result + n * c.result() + first * c.pixels(), c.pixels(), weight + first * c.depth(),
                            bias ? bias + first : nullptr, c.group_out());
      }
    }
  });
}

template <class T>
void convolve_directly_by_image(const Convolution& c, T* image, const T* weight, const T* result) {
  const Scratch<T> flipped(c.out * c.depth());
  flip(c, flipped.data(), weight);
  convolve_directly<T>(backwards(c), image, result, flipped.data(), nullptr);
}

template <class T>
void convolve_directly_by_weight(const Convolution& c, T* weight, const T* image, const T* result) {
  const Frame frame(c);
  const Scratch<std::int64_t> offsets(c.depth());
  frame.write_offsets(offsets.data(), c);
  const std::int64_t bytes = (frame.size() + c.result()) * static_cast<std::int64_t>(sizeof(T));
  const std::int64_t at_once = std::clamp<std::int64_t>(bytes_in_cache / std::max<std::int64_t>(1, bytes), 1,
                                                        std::max<std::int64_t>(1, c.batch));
  sum_over_pieces(c, weight, [&](T* sum, std::int64_t begin, std::int64_t end) {
    const Scratch<T> framed(at_once * frame.size());
    for (std::int64_t n = begin; n < end; n += at_once) {
      const std::int64_t images = std::min(at_once, end - n);
      for (std::int64_t i = 0; i < images; ++i) {
        frame.fill(framed.data() + i * frame.size(), image + (n + i) * c.image(), c.y, c.x);
      }
      for (std::int64_t group = 0; group < c.groups; ++group) {
        const std::int64_t first = group * c.group_out();
        table<T>().correlate(frame.taps(c, framed.data(), images, group, offsets),
                             result + n * c.result() + first * c.pixels(), c.pixels(), c.result(),
                             sum + first * c.depth(), c.group_out());
      }
    }
  });
}

template bool is_direct<float>(const Convolution&);
template bool is_direct<double>(const Convolution&);
template void convolve_directly(const Convolution&, float*, const float*, const float*, const float*);
template void convolve_directly(const Convolution&, double*, const double*, const double*, const double*);
template void convolve_directly_by_image(const Convolution&, float*, const float*, const float*);
template void convolve_directly_by_image(const Convolution&, double*, const double*, const double*);
template void convolve_directly_by_weight(const Convolution&, float*, const float*, const float*);
template void convolve_directly_by_weight(const Convolution&, double*, const double*, const double*);

}  // namespace gradus::kernels
