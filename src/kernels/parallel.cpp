#include "kernels/parallel.hpp"

#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

#include "kernels/blas.hpp"
#include "storage/format.hpp"

namespace gradus {
namespace kernels::detail {
namespace {

thread_local bool inside_parallel_region = false;

// One job at a time. Workers and the caller take pieces from a shared counter until none is left.
class ThreadPool {
 public:
  void resize(int threads) {
    const std::lock_guard owner(owner_);
    stop();
    stopping_ = false;
    try {
      for (int i = 1; i < threads; ++i) workers_.emplace_back([this] { work(); });
    } catch (const std::system_error&) {
      // The system gives no more threads: the work is done with those there are.
    }
  }

  void run(std::int64_t begin, std::int64_t end, std::int64_t grain, Chunk chunk, const void* function) {
    std::unique_lock owner(owner_, std::try_to_lock);
    if (!owner || workers_.empty()) {  // another thread's job is running: do this one alone
      if (owner) owner.unlock();
      chunk(function, begin, end);
      return;
    }
    const auto threads = static_cast<std::int64_t>(workers_.size()) + 1;
    Job job{begin, end, std::max(grain, (end - begin + threads - 1) / threads), chunk, function, {}, {}};
    job.next = begin;
    {
      const std::lock_guard lock(mutex_);
      job_ = &job;
      ++generation_;
    }
    wake_.notify_all();
    take_pieces(job);
    std::unique_lock lock(mutex_);
    job_ = nullptr;  // a worker that has not started by now will not
    done_.wait(lock, [this] { return active_ == 0; });
    if (job.failure) std::rethrow_exception(job.failure);
  }

 private:
  struct Job {
    std::int64_t begin, end, piece;
    Chunk chunk;
    const void* function;
    std::atomic<std::int64_t> next;
    std::exception_ptr failure;
  };

  void take_pieces(Job& job) {
    inside_parallel_region = true;
    for (;;) {
      const std::int64_t from = job.next.fetch_add(job.piece, std::memory_order_relaxed);
      if (from >= job.end) break;
      try {
        job.chunk(job.function, from, std::min(from + job.piece, job.end));
      } catch (...) {
        const std::lock_guard lock(mutex_);
        if (!job.failure) job.failure = std::current_exception();
      }
    }
    inside_parallel_region = false;
  }

  void work() {
    std::uint64_t seen = 0;
    std::unique_lock lock(mutex_);
    for (;;) {
      wake_.wait(lock, [&] { return stopping_ || (job_ != nullptr && generation_ != seen); });
      if (stopping_) return;
      seen = generation_;
      Job& job = *job_;
      ++active_;
      lock.unlock();
      take_pieces(job);
      lock.lock();
      if (--active_ == 0) done_.notify_all();
    }
  }

  void stop() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_all();
    for (std::thread& worker : workers_) worker.join();
    workers_.clear();
  }

  std::mutex owner_;  // held by the thread whose job runs
  std::mutex mutex_;
  std::condition_variable wake_, done_;
  std::vector<std::thread> workers_;
  Job* job_ = nullptr;
  std::uint64_t generation_ = 0;
  int active_ = 0;
  bool stopping_ = false;
};

ThreadPool& thread_pool() {
  static ThreadPool* const pool = new ThreadPool;  // never destroyed: large work may still come from static destructors
  return *pool;
}

int default_num_threads() {
  if (const char* text = std::getenv("OMP_NUM_THREADS")) {
    if (const int asked = std::atoi(text); asked > 0) return asked;
  }
  return static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
}

// Zero until the first use or set_num_threads(): a program that never does large work starts no thread.
std::atomic<int> num_threads{0};
std::once_flag started;

}  // namespace

void run_in_parallel(std::int64_t begin, std::int64_t end, std::int64_t grain, Chunk chunk, const void* function) {
  if (inside_parallel_region) {
    chunk(function, begin, end);
    return;
  }
  std::call_once(started, [] { thread_pool().resize(get_num_threads()); });
  thread_pool().run(begin, end, grain, chunk, function);
}

}  // namespace kernels::detail

bool kernels::in_parallel_region() { return kernels::detail::inside_parallel_region; }

int get_num_threads() {
  const int count = kernels::detail::num_threads.load(std::memory_order_relaxed);
  if (count > 0) return count;
  int expected = 0;
  const int initial = kernels::detail::default_num_threads();
  kernels::detail::num_threads.compare_exchange_strong(expected, initial);
  return kernels::detail::num_threads.load(std::memory_order_relaxed);
}

void set_num_threads(int count) {
  if (count < 1) fail("set_num_threads: at least one thread is needed, got {}", count);
  std::call_once(kernels::detail::started, [] {});
  kernels::detail::num_threads = count;
  kernels::detail::thread_pool().resize(count);
  kernels::set_blas_threads(count);
}

}  // namespace gradus
