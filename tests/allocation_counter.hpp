// Counts calls to operator new and to malloc in the whole test program.
#pragma once

#include <cstdint>

namespace gradus::test {

// False under sanitizers, which bring their own allocator: then nothing is counted.
extern const bool counts_allocations;

// Calls of operator new, malloc, calloc, realloc and aligned_alloc by all threads so far.
std::int64_t allocations();

}  // namespace gradus::test
