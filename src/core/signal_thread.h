// Where handlers of signals run: never in a thread that computes. oneDNN's matrix products keep the
// address of heap memory in the stack pointer for a while, so that a handler on the same thread
// overwrites the heap (uxlfoundation/oneDNN issue 4845).
#pragma once

#include <signal.h>

#include <thread>

namespace vllama {

// The signals that ask a run to stop; SIGUSR1 is Slurm's usual warning.
inline constexpr int kStopSignals[] = {SIGINT, SIGTERM, SIGUSR1};

// While this lives, a thread of its own takes the stop signals of the process. The thread that made
// it, and those started from there, leave them alone.
class SignalThread {
 public:
  SignalThread();
  ~SignalThread();
  SignalThread(const SignalThread&) = delete;
  SignalThread& operator=(const SignalThread&) = delete;

 private:
  sigset_t mask_before_;
  std::jthread thread_;
};

}  // namespace vllama
