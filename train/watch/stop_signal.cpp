#include "train/watch/stop_signal.h"

#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cmath>
#include <csignal>

#include "core/signal_thread.h"

namespace vllama::train {
namespace {

volatile std::sig_atomic_t received_signal = 0;
std::atomic<bool> is_spoken = false;
std::atomic<const char*> activity = "this step";
std::atomic<double> expected_end = 0;  // on the clock of now(); 0: unknown

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// Runs in the SignalThread, which holds no lock and no memory of its own.
void say(int number) {
  const double end = expected_end.load();
  char buffer[256];
  const auto notice = stop_notice(number, activity.load(), end > 0 ? std::max(1.0, end - now()) : 0,
                                  buffer, sizeof buffer);
  if (::isatty(STDERR_FILENO) == 1) {
    constexpr std::string_view kToStartOfLine = "\r\x1b[K";
    if (::write(STDERR_FILENO, kToStartOfLine.data(), kToStartOfLine.size()) < 0) return;
  }
  if (::write(STDERR_FILENO, notice.data(), notice.size()) < 0) return;
}

void remember(int number) {
  if (number == SIGINT && received_signal == SIGINT) {
    ::signal(SIGINT, SIG_DFL);
    ::raise(SIGINT);
  }
  if (is_spoken.exchange(false)) say(number);
  received_signal = number;
}

}  // namespace

std::string_view stop_notice(int signal, const char* what, double seconds_left, char* buffer,
                             std::size_t size) {
  char* end = buffer;
  const auto add = [&]<class... Parts>(fmt::format_string<Parts...> format, Parts&&... parts) {
    end = fmt::format_to_n(end, size - static_cast<std::size_t>(end - buffer), format,
                           std::forward<Parts>(parts)...)
              .out;
  };
  if (signal == SIGINT)
    add("Ctrl-C: the run ends after {}", what);
  else
    add("signal {}: the run ends after {}", signal, what);
  const double seconds = std::ceil(seconds_left);
  if (seconds > 120)
    add(" (about {} min)", static_cast<std::int64_t>(std::ceil(seconds / 60)));
  else if (seconds > 0)
    add(" (about {} s)", static_cast<std::int64_t>(seconds));
  add("{}", signal == SIGINT ? " and saves; a second Ctrl-C ends it now, without saving\n"
                             : " and saves\n");
  return {buffer, static_cast<std::size_t>(end - buffer)};
}

StopSignal::StopSignal(bool speaks) {
  received_signal = 0;
  is_spoken = speaks;
  doing("this step", 0);
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

void StopSignal::doing(const char* what, double expected_seconds) const {
  activity = what;
  expected_end = expected_seconds > 0 ? now() + expected_seconds : 0;
}

}  // namespace vllama::train
