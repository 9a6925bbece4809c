#include "core/in_threads.h"

#include <algorithm>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace vllama {

void for_each_in_threads(std::int64_t count, std::int64_t num_threads,
                         const std::function<void(std::int64_t)>& work) {
  std::mutex mutex;
  std::int64_t next = 0, failed = count;
  std::exception_ptr failure;
  const auto take = [&] {
    const std::lock_guard lock(mutex);
    return next < failed ? next++ : count;
  };
  const auto run = [&] {
    for (std::int64_t number = take(); number < count; number = take()) {
      try {
        work(number);
      } catch (...) {  // is thrown again in the caller's thread
        const std::lock_guard lock(mutex);
        if (number >= failed) continue;
        failed = number;
        failure = std::current_exception();
      }
    }
  };
  {
    std::vector<std::jthread> threads;
    for (std::int64_t i = 1; i < std::min(num_threads, count); ++i) threads.emplace_back(run);
    run();
  }
  if (failure) std::rethrow_exception(failure);
}

}  // namespace vllama
