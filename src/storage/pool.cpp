#include "storage/pool.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstdlib>
#include <mutex>
#include <new>

#include "gradus/memory.hpp"
#include "storage/format.hpp"
#include "storage/poison.hpp"

namespace gradus::pool {
namespace {

constexpr std::size_t alignment = 64;
constexpr std::size_t small_limit = 1024;  // the largest block that a thread caches
constexpr std::size_t small_classes = small_limit / alignment;
constexpr std::size_t max_classes = small_classes + 4 * 40;
constexpr std::size_t cached_per_class = 128;
constexpr std::int64_t flush_step = 64 * 1024;

struct Class {
  std::size_t index;
  std::size_t bytes;
};

// 1..64 -> 0, 65..128 -> 1, ..., 1024 -> 15; then (1024, 1280] -> 16, (1280, 1536] -> 17, ...
Class class_of(std::size_t bytes) {
  if (bytes <= small_limit) {
    const std::size_t index = bytes == 0 ? 0 : (bytes - 1) / alignment;
    return {index, (index + 1) * alignment};
  }
  const auto log = static_cast<std::size_t>(std::bit_width(bytes - 1)) - 1;  // 2^log < bytes <= 2^(log + 1)
  const std::size_t step = std::size_t{1} << (log - 2);
  const std::size_t quarter = (bytes - 1 - (std::size_t{1} << log)) / step;
  return {small_classes + 4 * (log - 10) + quarter, (std::size_t{1} << log) + (quarter + 1) * step};
}

// A freed block is a link of its list.
struct Link {
  Link* next;
};

// All of a pooled block but its link: the leak detector follows no pointer through poisoned memory.
void poison_behind_link(void* block, std::size_t bytes) {
  poison(static_cast<std::byte*>(block) + sizeof(Link), bytes - sizeof(Link));
}

struct FreeList {
  Link* head = nullptr;
  std::size_t count = 0;

  void push(void* block) {
    head = new (block) Link{head};
    ++count;
  }
  void* pop() {
    Link* top = head;
    head = top->next;
    --count;
    return top;
  }
};

class Shared {
 public:
  void* take(Class size) {
    const std::lock_guard lock(mutex_);
    if (FreeList& list = lists_[size.index]; list.count > 0) {
      pooled_ -= static_cast<std::int64_t>(size.bytes);
      unpoison(list.head, sizeof(Link));
      return list.pop();
    }
    return from_system(size);
  }

  void give(void* block, Class size) noexcept {
    const std::lock_guard lock(mutex_);
    if (pooled_ + static_cast<std::int64_t>(size.bytes) > limit_) {
      unpoison(block, size.bytes);
      std::free(block);
      return;
    }
    pooled_ += static_cast<std::int64_t>(size.bytes);
    unpoison(block, sizeof(Link));
    lists_[size.index].push(block);
    poison_behind_link(block, size.bytes);
  }

  // in_use changes in steps: threads report theirs only now and then.
  void count_in_use(std::int64_t bytes) noexcept {
    const std::lock_guard lock(mutex_);
    in_use_ += bytes;
    peak_ = std::max(peak_, in_use_);
  }

  MemoryStats stats() {
    const std::lock_guard lock(mutex_);
    return {in_use_, peak_, pooled_, system_allocations_};
  }

  void reset_peak() {
    const std::lock_guard lock(mutex_);
    peak_ = in_use_;
  }

  void set_limit(std::int64_t bytes) {
    const std::lock_guard lock(mutex_);
    limit_ = bytes;
    release_down_to(limit_);
  }

  void release() {
    const std::lock_guard lock(mutex_);
    release_down_to(0);
  }

 private:
  void* from_system(Class size) {
    void* block = std::aligned_alloc(alignment, size.bytes);
    if (block == nullptr) {
      release_down_to(0);
      block = std::aligned_alloc(alignment, size.bytes);
    }
    if (block == nullptr) fail("memory: the system has no block of {} bytes left", size.bytes);
    ++system_allocations_;
    return block;
  }

  void release_down_to(std::int64_t bytes) {
    for (std::size_t index = max_classes; index-- > 0 && pooled_ > bytes;) {
      FreeList& list = lists_[index];
      while (list.count > 0 && pooled_ > bytes) {
        unpoison(list.head, sizeof(Link));
        void* block = list.pop();
        const std::size_t size = bytes_of(index);
        unpoison(block, size);
        std::free(block);
        pooled_ -= static_cast<std::int64_t>(size);
      }
    }
  }

  static std::size_t bytes_of(std::size_t index) {
    if (index < small_classes) return (index + 1) * alignment;
    const std::size_t log = 10 + (index - small_classes) / 4;
    return (std::size_t{1} << log) + ((index - small_classes) % 4 + 1) * (std::size_t{1} << (log - 2));
  }

  std::mutex mutex_;
  std::array<FreeList, max_classes> lists_;
  std::int64_t in_use_ = 0;
  std::int64_t peak_ = 0;
  std::int64_t pooled_ = 0;
  std::int64_t limit_ = std::int64_t{1} << 30;
  std::int64_t system_allocations_ = 0;
};

// Never destroyed: tensors of static storage may outlive everything else.
Shared& shared() {
  static Shared* const instance = new Shared;
  return *instance;
}

// A thread's small blocks. Trivially destructible, so that tensors freed after the thread's other locals still find it.
struct Cache {
  std::array<FreeList, small_classes> lists{};
  std::int64_t unreported = 0;  // change of in_use not yet told to the shared pool
  bool watched = false;         // flushed when the thread ends
  bool closed = false;          // the thread is ending: keep nothing

  void count(std::int64_t bytes) noexcept {
    if (!watched) watch();
    unreported += bytes;
    if (unreported >= flush_step || unreported <= -flush_step || closed) report();
  }

  void report() noexcept {
    shared().count_in_use(unreported);
    unreported = 0;
  }

  void flush() noexcept {
    for (std::size_t index = 0; index < small_classes; ++index) {
      while (lists[index].count > 0) {
        unpoison(lists[index].head, sizeof(Link));
        shared().give(lists[index].pop(), {index, (index + 1) * alignment});
      }
    }
    report();
  }

  void watch() noexcept;
};

constinit thread_local Cache cache;

struct CloseAtThreadExit {
  ~CloseAtThreadExit() {
    cache.flush();
    cache.closed = true;
  }
};

// At a thread's first block, taken or given back: a thread may well free what it never allocated.
void Cache::watch() noexcept {
  thread_local CloseAtThreadExit close;
  static_cast<void>(close);
  watched = true;
}

}  // namespace

void* allocate(std::size_t bytes) {
  const Class size = class_of(bytes);
  if (size.index >= max_classes) fail("memory: {} bytes asked for, which no machine has", bytes);
  void* block = nullptr;
  if (size.index < small_classes && cache.lists[size.index].count > 0) {
    FreeList& list = cache.lists[size.index];
    unpoison(list.head, sizeof(Link));
    block = list.pop();
  } else {
    block = shared().take(size);
  }
  cache.count(static_cast<std::int64_t>(size.bytes));
  unpoison(block, bytes);
  return block;
}

void deallocate(void* block, std::size_t bytes) noexcept {
  const Class size = class_of(bytes);
  cache.count(-static_cast<std::int64_t>(size.bytes));
  if (size.index < small_classes && cache.lists[size.index].count < cached_per_class && !cache.closed) {
    unpoison(block, sizeof(Link));
    cache.lists[size.index].push(block);
    poison_behind_link(block, size.bytes);
  } else {
    shared().give(block, size);
  }
}

}  // namespace gradus::pool

namespace gradus {

MemoryStats memory_stats() {
  pool::cache.report();
  MemoryStats stats = pool::shared().stats();
  for (std::size_t index = 0; index < pool::small_classes; ++index) {
    stats.pooled += static_cast<std::int64_t>(pool::cache.lists[index].count * (index + 1) * pool::alignment);
  }
  return stats;
}

void reset_peak_memory_stats() {
  pool::cache.report();
  pool::shared().reset_peak();
}

void release_cached_memory() {
  pool::cache.flush();
  pool::shared().release();
}

void set_pooled_memory_limit(std::int64_t bytes) {
  if (bytes < 0) fail("set_pooled_memory_limit: the limit must not be negative: {}", bytes);
  pool::shared().set_limit(bytes);
}

}  // namespace gradus
