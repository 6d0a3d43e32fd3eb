// Storage: one aligned, pooled, versioned buffer. Header and data share a block.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>
#include <utility>

#include "storage/pool.hpp"

namespace gradus {

struct alignas(64) Storage {
  std::atomic<std::uint32_t> references{1};
  std::uint32_t version = 0;   // counts writes in place: a saved tensor whose version moved on has changed
  std::uint32_t rewrites = 0;  // counts recorded writes: a view made before one has a stale history
  std::size_t bytes;           // of the data that follows

  explicit Storage(std::size_t data_bytes) : bytes(data_bytes) {}
  void* data() { return this + 1; }
  bool unique() const { return references.load(std::memory_order_acquire) == 1; }

  static Storage* create(std::size_t data_bytes) {
    return new (pool::allocate(sizeof(Storage) + data_bytes)) Storage(data_bytes);
  }
  static void destroy(Storage* storage) noexcept {
    const std::size_t block_bytes = sizeof(Storage) + storage->bytes;
    storage->~Storage();
    pool::deallocate(storage, block_bytes);
  }
};

// An intrusive pointer: T has `references` and a static `destroy(T*)`.
template <class T>
class Ref {
 public:
  Ref() = default;
  explicit Ref(T* adopted) : pointer_(adopted) {}
  Ref(const Ref& other) noexcept : pointer_(other.pointer_) {
    if (pointer_) pointer_->references.fetch_add(1, std::memory_order_relaxed);
  }
  Ref(Ref&& other) noexcept : pointer_(std::exchange(other.pointer_, nullptr)) {}
  Ref& operator=(Ref other) noexcept {
    std::swap(pointer_, other.pointer_);
    return *this;
  }
  ~Ref() {
    if (pointer_ && (pointer_->references.load(std::memory_order_acquire) == 1 ||
                     pointer_->references.fetch_sub(1, std::memory_order_acq_rel) == 1)) {
      T::destroy(pointer_);
    }
  }

  T* get() const { return pointer_; }
  T* operator->() const { return pointer_; }
  T& operator*() const { return *pointer_; }
  explicit operator bool() const { return pointer_ != nullptr; }
  bool operator==(const Ref& other) const { return pointer_ == other.pointer_; }

 private:
  T* pointer_ = nullptr;
};

}  // namespace gradus
