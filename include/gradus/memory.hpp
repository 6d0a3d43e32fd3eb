// The pool behind every tensor and every tape node: freed blocks are kept by size class and handed out again.
#pragma once

#include <cstdint>

namespace gradus {

struct MemoryStats {
  std::int64_t in_use = 0;              // bytes held by live tensors and nodes
  std::int64_t peak = 0;                // the most that in_use has been (to within 64 KiB per thread)
  std::int64_t pooled = 0;              // bytes kept for reuse
  std::int64_t system_allocations = 0;  // blocks ever asked of the system
};

MemoryStats memory_stats();

// Sets the peak to what is in use now.
void reset_peak_memory_stats();

// Returns every pooled block that no other thread has cached to the system.
void release_cached_memory();

// The pool keeps at most this many bytes for reuse (default 1 GiB); more goes back to the system at once.
void set_pooled_memory_limit(std::int64_t bytes);

}  // namespace gradus
