// Under AddressSanitizer a pooled block is poisoned, so that using freed memory is reported although the pool keeps it.
#pragma once

#include <cstddef>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

namespace gradus::pool {

inline void poison([[maybe_unused]] const void* block, [[maybe_unused]] std::size_t bytes) {
#if defined(__SANITIZE_ADDRESS__)
  __asan_poison_memory_region(block, bytes);
#endif
}

inline void unpoison([[maybe_unused]] const void* block, [[maybe_unused]] std::size_t bytes) {
#if defined(__SANITIZE_ADDRESS__)
  __asan_unpoison_memory_region(block, bytes);
#endif
}

}  // namespace gradus::pool
