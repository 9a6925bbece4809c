#include "train/stop_signal.h"

#include <signal.h>

#include <csignal>

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

constexpr int kSignals[] = {SIGINT, SIGTERM, SIGUSR1};

}  // namespace

StopSignal::StopSignal() {
  received_signal = 0;
  struct sigaction action {};
  action.sa_handler = remember;
  action.sa_flags = SA_RESTART;
  for (const int number : kSignals) ::sigaction(number, &action, nullptr);
}

StopSignal::~StopSignal() {
  for (const int number : kSignals) ::signal(number, SIG_DFL);
}

int StopSignal::received() const {
  return received_signal;
}

}  // namespace vllama::train
