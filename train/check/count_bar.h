// A bar on a terminal for work whose number of pieces is known.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>

#include "train/record/progress.h"

namespace vllama::train {

// With the time that is left; redrawn at most ten times a second, erased at the end; nothing where
// there is no terminal. May be advanced by several threads at once.
class CountBar {
 public:
  CountBar(const std::string& label, std::int64_t total, const ProgressOutput& output);
  ~CountBar();
  CountBar(const CountBar&) = delete;
  CountBar& operator=(const CountBar&) = delete;

  void advance();

 private:
  void draw();

  const std::string label_;
  const std::int64_t total_;
  const ProgressOutput& output_;
  std::mutex mutex_;
  std::int64_t done_ = 0;
  const double start_seconds_;
  double last_draw_seconds_;
  bool is_on_screen_ = false;
};

}  // namespace vllama::train
