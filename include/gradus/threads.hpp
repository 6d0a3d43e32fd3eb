// How many threads large work is split over. No result of Gradus' own kernels depends on it.
#pragma once

namespace gradus {

// Threads for large elementwise work, reductions, optimizers and for OpenBLAS; at least 1. Throws Error otherwise.
// The default is OMP_NUM_THREADS if set, else the number of processors.
void set_num_threads(int count);

int get_num_threads();

}  // namespace gradus
