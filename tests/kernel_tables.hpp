// The kernels of every instruction set that this processor has.
#pragma once

#include <doctest/doctest.h>

#include <string>

#include "kernels/kernels.hpp"

namespace gradus::tests {

inline constexpr const char* isas[] = {"generic", "sse2", "avx2", "avx512"};

// Calls f(table) for each of them.
template <class T, class F>
void for_each_table(const F& f) {
  int tables = 0;
  for (const std::string name : isas) {
    const kernels::Table<T>* const found = kernels::table_for<T>(name);
    if (found == nullptr) continue;
    ++tables;
    CAPTURE(name);
    f(*found);
  }
  CHECK(tables > 0);
}

}  // namespace gradus::tests
