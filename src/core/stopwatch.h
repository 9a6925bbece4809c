// Time that has passed.
#pragma once

#include <chrono>

namespace vllama {

template <class Clock>
double seconds_since(std::chrono::time_point<Clock> start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// Adds the time of its life to a sum.
class Stopwatch {
 public:
  explicit Stopwatch(double& seconds) : seconds_(seconds) {}
  ~Stopwatch() { seconds_ += seconds_since(start_); }
  Stopwatch(const Stopwatch&) = delete;
  Stopwatch& operator=(const Stopwatch&) = delete;

 private:
  double& seconds_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace vllama
