// OpenBLAS's number of threads.
#pragma once

#include <cstdint>

namespace gradus::kernels {

// What set_num_threads() sets.
void set_blas_threads(int count);

// To be called before a matrix product of that many multiplications: one thread for a small one, else all.
void choose_blas_threads(std::int64_t multiplications);

}  // namespace gradus::kernels
