#include "kernels/blas.hpp"

#include <cblas.h>

#include <atomic>

#include "kernels/parallel.hpp"

namespace gradus::kernels {
namespace {

// About 50 us of one core. OpenBLAS itself splits work a tenth of this, whose threads then wait for each other longer
// than they compute: 20 times longer on a busy machine.
constexpr std::int64_t parallel_work = 4 << 20;

std::atomic<int>& allowed_threads() {
  static std::atomic<int> count{openblas_get_num_threads()};
  return count;
}

void use_threads(int count) {
  static std::atomic<int> in_use{0};  // what OpenBLAS was told last; 0: nothing yet
  if (in_use.load(std::memory_order_relaxed) == count) return;
  openblas_set_num_threads(count);
  in_use.store(count, std::memory_order_relaxed);
}

}  // namespace

void set_blas_threads(int count) {
  allowed_threads() = count;
  use_threads(count);
}

void choose_blas_threads(std::int64_t multiplications) {
  if (in_parallel_region()) return;  // whoever started it has chosen one
  use_threads(multiplications < parallel_work ? 1 : allowed_threads().load(std::memory_order_relaxed));
}

}  // namespace gradus::kernels
