#include "core/signal_thread.h"

#include <condition_variable>
#include <mutex>

namespace vllama {
namespace {

sigset_t stop_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : kStopSignals) sigaddset(&set, number);
  return set;
}

void take_signals_until(const std::stop_token& stop) {
  const sigset_t signals = stop_signals();
  ::pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
  std::mutex mutex;
  std::unique_lock lock(mutex);
  std::condition_variable_any never;
  never.wait(lock, stop, [] { return false; });
}

}  // namespace

SignalThread::SignalThread() {
  const sigset_t signals = stop_signals();
  ::pthread_sigmask(SIG_BLOCK, &signals, &mask_before_);
  thread_ = std::jthread(take_signals_until);
}

SignalThread::~SignalThread() {
  thread_ = {};
  ::pthread_sigmask(SIG_SETMASK, &mask_before_, nullptr);
}

}  // namespace vllama
