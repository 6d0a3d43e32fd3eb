// Tables of the tests.
#pragma once

#include <doctest/doctest.h>

#include <exception>

#include <gradus/random.hpp>

namespace gradus::tests {

// Runs a check on each row of a table, each with the same random numbers; an exception fails that row only.
template <class Rows, class Check>
void for_each_row(const Rows& rows, const Check& check) {
  for (const auto& row : rows) {
    CAPTURE(row.name);
    try {
      manual_seed(1);
      check(row);
    } catch (const std::exception& e) {
      FAIL_CHECK(e.what());
    }
  }
}

}  // namespace gradus::tests
