#include "core/waiting.h"

#include <fmt/format.h>

#include <chrono>
#include <condition_variable>
#include <mutex>

#include "core/error.h"

namespace vllama {
namespace {

// Between two tries; nobody notices it beside what is waited for.
constexpr auto kPause = std::chrono::milliseconds(100);

struct GivenUp {
  std::mutex mutex;
  std::condition_variable changed;
  std::string reason;  // empty while there is hope
};

GivenUp& given_up() {
  static GivenUp state;
  return state;
}

}  // namespace

void give_up_waiting(const std::string& reason) {
  GivenUp& state = given_up();
  const std::lock_guard lock(state.mutex);
  if (state.reason.empty()) state.reason = reason;
  state.changed.notify_all();
}

void wait_for(const std::string& what, const std::function<bool()>& is_done) {
  GivenUp& state = given_up();
  while (!is_done()) {
    std::unique_lock lock(state.mutex);
    if (state.changed.wait_for(lock, kPause, [&] { return !state.reason.empty(); }))
      throw RunFailure(fmt::format("gave up waiting for {}: {}", what, state.reason));
  }
}

}  // namespace vllama
