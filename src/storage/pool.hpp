// One pool of 64-byte aligned blocks for tensor data, tensor handles and tape nodes.
//
// Sizes are rounded up to classes: multiples of 64 up to 1 KiB, then four steps per power of two. A small block is
// taken from and returned to a cache of the calling thread without any lock; larger ones and the overflow of the caches
// go through one list per class under a mutex. Blocks may be freed on another thread than the one that asked for them.
#pragma once

#include <cstddef>

namespace gradus::pool {

void* allocate(std::size_t bytes);

// `bytes` is what allocate() was given.
void deallocate(void* block, std::size_t bytes) noexcept;

}  // namespace gradus::pool
