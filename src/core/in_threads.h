// The same work for many numbers, in several threads.
#pragma once

#include <cstdint>
#include <functional>

namespace vllama {

// Calls work(0) to work(count - 1), `num_threads` of them at a time at most. If some throw, the
// exception of the lowest number is thrown once all that had begun are done.
void for_each_in_threads(std::int64_t count, std::int64_t num_threads,
                         const std::function<void(std::int64_t)>& work);

}  // namespace vllama
