// Convolutions of stride 1 straight from a padded image: what is read for one tap lies beside what the next one reads,
// so no patches have to be gathered.
#include "kernels/simd/fold.hpp"
#include "kernels/simd/table.hpp"

namespace gradus::kernels::GRADUS_ISA {
namespace {

#ifdef __AVX512F__
constexpr int many_outputs = 8, many_taps = 4;
#else
constexpr int many_outputs = 4, many_taps = 2;  // half as many registers
#endif

// Neighbouring pixels of a row of the output, at most a batch of them.
struct Segment {
  Size from, to, lanes;  // where they are read for the first tap and written, in elements

  template <class T>
  GRADUS_INLINE static Segment of(const Taps<T>& t, Size index) {
    const Size per_row = (t.columns + width<T> - 1) / width<T>;
    const Size row = index / per_row, i = index % per_row * width<T>, rest = t.columns - i;
    return {row * t.pitch + i, row * t.columns + i, rest < width<T> ? rest : width<T>};
  }
};

// Some channels of the output, for some segments.
template <class T, int outputs, int segments>
GRADUS_INLINE void convolve_tile(const Taps<T>& t, const Segment* s, T* result, Size channel, const T* weight,
                                 const T* bias) {
  Vec<T> sum[outputs][segments];
  for (int o = 0; o < outputs; ++o)
    for (int q = 0; q < segments; ++q) sum[o][q] = broadcast(bias ? bias[o] : T(0));
  for (Size k = 0; k < t.count; ++k) {
    const T* x = t.image + t.offset[k];
    for (int q = 0; q < segments; ++q) {
      const Vec<T> pixels = load(x + s[q].from, Full{});
      for (int o = 0; o < outputs; ++o) sum[o][q] = multiply_add(broadcast(weight[o * t.count + k]), pixels, sum[o][q]);
    }
  }
  for (int o = 0; o < outputs; ++o)
    for (int q = 0; q < segments; ++q) {
      T* to = result + o * channel + s[q].to;
      if (s[q].lanes == width<T>)
        store(to, sum[o][q], Full{});
      else
        store(to, sum[o][q], First{s[q].lanes});
    }
}

// All channels, `outputs` at a time from channel o on, as far as that goes.
template <class T, int outputs, int segments>
GRADUS_INLINE Size convolve_channels(const Taps<T>& t, const Segment* s, T* result, Size channel, const T* weight,
                                     const T* bias, Size o, Size count) {
  for (; o + outputs <= count; o += outputs)
    convolve_tile<T, outputs, segments>(t, s, result + o * channel, channel, weight + o * t.count,
                                        bias ? bias + o : nullptr);
  return o;
}

// All channels of `segments` segments at a time from segment i on, as far as that goes.
template <class T, int many, int segments>
GRADUS_INLINE Size convolve_segments(const Taps<T>& t, T* result, Size channel, const T* weight, const T* bias,
                                     Size outputs, Size i, Size count) {
  for (; i + segments <= count; i += segments) {
    Segment s[segments];
    for (int q = 0; q < segments; ++q) s[q] = Segment::of(t, i + q);
    Size o = convolve_channels<T, many, segments>(t, s, result, channel, weight, bias, 0, outputs);
    convolve_channels<T, 1, segments>(t, s, result, channel, weight, bias, o, outputs);
  }
  return i;
}

template <class T>
void convolve(const Taps<T>& t, T* result, Size channel, const T* weight, const T* bias, Size outputs) {
  const Size count = t.rows * ((t.columns + width<T> - 1) / width<T>);
  Size i = 0;
  // As many sums at once as there are registers: of many channels, or of many segments.
  if (outputs >= many_outputs)
    i = convolve_segments<T, many_outputs, 2>(t, result, channel, weight, bias, outputs, i, count);
  else
    i = convolve_segments<T, 2, 4>(t, result, channel, weight, bias, outputs, i, count);
  convolve_segments<T, many_outputs, 1>(t, result, channel, weight, bias, outputs, i, count);
}

// Some channels of the gradient with some taps, over all pixels of all images.
template <class T, int outputs, int taps>
GRADUS_INLINE void correlate_tile(const Taps<T>& t, const Size* offset, const T* gradient, Size channel, Size step,
                                  T* weight) {
  Vec<T> sum[outputs][taps];
  for (auto& row : sum)
    for (auto& s : row) s = Vec<T>(T(0));
  for (Size n = 0; n < t.images; ++n)
    for (Size row = 0; row < t.rows; ++row) {
      const T* g = gradient + n * step + row * t.columns;
      const T* x = t.image + n * t.step + row * t.pitch;
      for_each_batch<T>(t.columns, [&](Size i, auto lanes) GRADUS_LAMBDA {
        Vec<T> right[taps];
        for (int q = 0; q < taps; ++q) right[q] = load(x + offset[q] + i, lanes);
        for (int o = 0; o < outputs; ++o) {
          const Vec<T> left = load(g + o * channel + i, lanes);
          for (int q = 0; q < taps; ++q) sum[o][q] = multiply_add(left, right[q], sum[o][q]);
        }
      });
    }
  for (int o = 0; o < outputs; ++o)
    for (int q = 0; q < taps; ++q) weight[o * t.count + q] += fold_lanes<T, SumFold>(sum[o][q]);
}

template <class T, int taps>
GRADUS_INLINE void correlate_taps(const Taps<T>& t, Size k, const T* gradient, Size channel, Size step, T* weight,
                                  Size outputs) {
  constexpr int many = 4;
  Size o = 0;
  for (; o + many <= outputs; o += many)
    correlate_tile<T, many, taps>(t, t.offset + k, gradient + o * channel, channel, step, weight + o * t.count + k);
  for (; o < outputs; ++o)
    correlate_tile<T, 1, taps>(t, t.offset + k, gradient + o * channel, channel, step, weight + o * t.count + k);
}

template <class T>
void correlate(const Taps<T>& t, const T* gradient, Size channel, Size step, T* weight, Size outputs) {
  Size k = 0;
  for (; k + many_taps <= t.count; k += many_taps)
    correlate_taps<T, many_taps>(t, k, gradient, channel, step, weight, outputs);
  for (; k < t.count; ++k) correlate_taps<T, 1>(t, k, gradient, channel, step, weight, outputs);
}

template <class T>
void keep_larger(T* best, Size* places, const T* x, Size stride, Size place, Size n) {
  const auto run = [=](Size sx) GRADUS_LAMBDA {
#pragma GCC ivdep
    for (Size i = 0; i < n; ++i) {
      const T value = x[i * sx];
      const bool takes = (value > best[i]) | is_nan(value) | (places[i] < 0);
      best[i] = takes ? value : best[i];
      places[i] = takes ? place + i * sx : places[i];
    }
  };
  if (stride == 1) return run(1);
  if (stride == 2) return run(2);
  run(stride);
}

template <class T>
void fill_floating(Table<T>& table) {
  table.lanes = width<T>;
  table.convolve = convolve<T>;
  table.correlate = correlate<T>;
  table.keep_larger = keep_larger<T>;
}

}  // namespace

template <>
void fill_convolve(Table<float>& table) {
  fill_floating(table);
}
template <>
void fill_convolve(Table<double>& table) {
  fill_floating(table);
}

}  // namespace gradus::kernels::GRADUS_ISA
