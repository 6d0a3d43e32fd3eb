#include "train/interrupt.hpp"

#include <atomic>
#include <csignal>
#include <mutex>

namespace gradus::train {
namespace {

std::atomic<bool> is_requested = false;
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler must not wait");

std::mutex mutex;
int guards = 0;
bool is_installed = false;
struct sigaction former;

void note(int) { is_requested.store(true, std::memory_order_relaxed); }

}  // namespace

Interrupt::Interrupt() {
  const std::lock_guard lock(mutex);
  if (guards++ > 0) return;
  is_requested = false;
  is_installed = sigaction(SIGINT, nullptr, &former) == 0 && former.sa_handler != SIG_IGN;
  if (!is_installed) return;
  struct sigaction ours {};
  ours.sa_handler = note;
  sigemptyset(&ours.sa_mask);
  // The handler is good for one signal, and no call of the system fails because of it.
  ours.sa_flags = static_cast<int>(SA_RESETHAND) | SA_RESTART;
  sigaction(SIGINT, &ours, nullptr);
}

Interrupt::~Interrupt() {
  const std::lock_guard lock(mutex);
  if (--guards == 0 && is_installed) sigaction(SIGINT, &former, nullptr);
}

bool Interrupt::requested() { return is_requested.load(std::memory_order_relaxed); }

}  // namespace gradus::train
