// Which thread runs the handlers of the signals that ask a run to stop.
#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <set>
#include <thread>

#include "core/signal_thread.h"

using namespace vllama;

namespace {

std::atomic<int> num_handled = 0;
std::atomic<pid_t> last_thread = 0;

void note_thread(int) {
  last_thread = ::gettid();
  ++num_handled;
}

void send(int number) {
  const int before = num_handled;
  ::kill(::getpid(), number);
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (num_handled == before && std::chrono::steady_clock::now() < end) std::this_thread::yield();
  REQUIRE(num_handled == before + 1);
}

}  // namespace

TEST_CASE("signal thread: handlers run in a thread that computes nothing") {
  for (const int number : kStopSignals) ::signal(number, note_thread);
  {
    const SignalThread signals;
    // Threads from here on, busy or idle, are those of a run.
    std::atomic<pid_t> busy_thread = 0;
    const std::jthread busy([&](const std::stop_token& stop) {
      busy_thread = ::gettid();
      while (!stop.stop_requested()) std::this_thread::yield();
    });
    while (busy_thread == 0) std::this_thread::yield();
    std::set<pid_t> threads;
    for (int i = 0; i < 300; ++i) {
      send(kStopSignals[i % 3]);
      threads.insert(last_thread);
    }
    CHECK(threads.size() == 1);
    CHECK(threads.count(::getpid()) == 0);
    CHECK(threads.count(busy_thread) == 0);
  }
  send(SIGTERM);
  CHECK(last_thread == ::getpid());  // as before
  for (const int number : kStopSignals) ::signal(number, SIG_DFL);
}
