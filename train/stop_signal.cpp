#include "train/stop_signal.h"

#include <csignal>

#include "core/signal_thread.h"

namespace vllama::train {
namespace {

volatile std::sig_atomic_t received_signal = 0;

void remember(int number) {
  if (number == SIGINT && received_signal == SIGINT) {
    ::signal(SIGINT, SIG_DFL);
    ::raise(SIGINT);
  }
  received_signal = number;
}

}  // namespace

StopSignal::StopSignal() {
  received_signal = 0;
  struct sigaction action {};
  action.sa_handler = remember;
  action.sa_flags = SA_RESTART;
  for (const int number : kStopSignals) ::sigaction(number, &action, nullptr);
}

// Launchers repeat their signals: a process that was asked ends with its own status.
StopSignal::~StopSignal() {
  const auto from_now_on = received_signal == 0 ? SIG_DFL : SIG_IGN;
  for (const int number : kStopSignals) ::signal(number, from_now_on);
}

int StopSignal::received() const {
  return received_signal;
}

}  // namespace vllama::train
