// parallel_for: splits a range over a small pool of threads. A pool of our own, not OpenMP: ThreadSanitizer understands
// it, a static library needs no compiler runtime of its users, and work below the grain never leaves the caller.
#pragma once

#include <algorithm>
#include <cstdint>

#include "gradus/threads.hpp"

namespace gradus::kernels {

namespace detail {
using Chunk = void (*)(const void* function, std::int64_t begin, std::int64_t end);
void run_in_parallel(std::int64_t begin, std::int64_t end, std::int64_t grain, Chunk chunk, const void* function);
}  // namespace detail

// True in a function that parallel_for runs on several threads.
bool in_parallel_region();

// Calls function(begin, end) on disjoint pieces that cover [begin, end), each of at least `grain` elements. The first
// exception thrown by a piece is rethrown here. Nested calls run on the calling thread.
template <class Function>
void parallel_for(std::int64_t begin, std::int64_t end, std::int64_t grain, const Function& function) {
  if (end - begin < 2 * grain || get_num_threads() == 1) {
    if (begin < end) function(begin, end);
    return;
  }
  detail::run_in_parallel(
      begin, end, std::max<std::int64_t>(grain, 1),
      [](const void* f, std::int64_t from, std::int64_t to) { (*static_cast<const Function*>(f))(from, to); },
      &function);
}

}  // namespace gradus::kernels
