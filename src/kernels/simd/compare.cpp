// Comparisons, in plain loops which the compiler vectorises, and selection.
#include "kernels/simd/pointwise.hpp"
#include "kernels/simd/table.hpp"

namespace gradus::kernels::GRADUS_ISA {
namespace {

struct Eq {
  template <class T>
  static bool apply(T a, T b) {
    return a == b;
  }
};

struct Ne {
  template <class T>
  static bool apply(T a, T b) {
    return a != b;
  }
};

struct Lt {
  template <class T>
  static bool apply(T a, T b) {
    return a < b;
  }
};

struct Le {
  template <class T>
  static bool apply(T a, T b) {
    return a <= b;
  }
};

struct Gt {
  template <class T>
  static bool apply(T a, T b) {
    return a > b;
  }
};

struct Ge {
  template <class T>
  static bool apply(T a, T b) {
    return a >= b;
  }
};

template <class T, class Op>
void compare(bool* __restrict y, const T* a, Size sa, const T* b, Size sb, Size n) {
  if (sa == 1 && sb == 1) {
    for (Size i = 0; i < n; ++i) y[i] = Op::apply(a[i], b[i]);
  } else if (sa == 1 && sb == 0 && n > 0) {
    const T right = *b;
    for (Size i = 0; i < n; ++i) y[i] = Op::apply(a[i], right);
  } else {
    for (Size i = 0; i < n; ++i) y[i] = Op::apply(a[i * sa], b[i * sb]);
  }
}

// The mask is widened to T a block at a time, to select whole batches with it.
template <class T>
void where(T* y, const bool* c, Size sc, const T* a, Size sa, const T* b, Size sb, Size n) {
  T mask[stage_size];
  for (Size start = 0; start < n; start += stage_size) {
    const Size count = n - start < stage_size ? n - start : stage_size;
    if (sc == 1) {  // a case of its own, because it vectorises
      for (Size i = 0; i < count; ++i) mask[i] = static_cast<T>(c[i]);
    } else {
      for (Size i = 0; i < count; ++i) mask[i] = static_cast<T>(c[i * sc]);
    }
    const auto choose = [&mask](Size i, auto lanes, Vec<T> yes, Vec<T> no)
                            GRADUS_LAMBDA { return select(load(mask + i, lanes) != Vec<T>(T(0)), yes, no); };
    zip(y, a, sa, b, sb, count, choose);
    y += count, c += count * sc, a += count * sa, b += count * sb;
  }
}

template <class T>
void fill_any(Table<T>& table) {
  table.compare[index(Compare::eq)] = compare<T, Eq>;
  table.compare[index(Compare::ne)] = compare<T, Ne>;
  table.compare[index(Compare::lt)] = compare<T, Lt>;
  table.compare[index(Compare::le)] = compare<T, Le>;
  table.compare[index(Compare::gt)] = compare<T, Gt>;
  table.compare[index(Compare::ge)] = compare<T, Ge>;
  table.where = where<T>;
}

}  // namespace

template <>
void fill_compare(Table<float>& table) {
  fill_any(table);
}
template <>
void fill_compare(Table<double>& table) {
  fill_any(table);
}
template <>
void fill_compare(Table<std::int64_t>& table) {
  fill_any(table);
}

}  // namespace gradus::kernels::GRADUS_ISA
