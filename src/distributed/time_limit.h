// Calls that may never return, for instance into a network whose other end was stopped.
#pragma once

#include <chrono>
#include <future>
#include <stdexcept>
#include <thread>

namespace vllama::distributed {

struct NoAnswer : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Runs `call` in a thread of its own and returns what it returns, or throws what it throws. Once
// `should_give_up`, which is asked now and then with the seconds since the start, says so, throws
// NoAnswer and leaves the thread behind: `call` must own all it uses.
template <class Call, class ShouldGiveUp>
auto call_until(Call call, ShouldGiveUp should_give_up) {
  constexpr auto kBetweenQuestions = std::chrono::milliseconds(100);
  std::packaged_task<decltype(call())()> task(std::move(call));
  auto result = task.get_future();
  const auto start = std::chrono::steady_clock::now();
  std::thread thread(std::move(task));
  while (result.wait_for(kBetweenQuestions) != std::future_status::ready) {
    const double seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    if (!should_give_up(seconds)) continue;
    thread.detach();
    throw NoAnswer("no answer for " + std::to_string(static_cast<int>(seconds)) + " s");
  }
  thread.join();
  return result.get();
}

}  // namespace vllama::distributed
