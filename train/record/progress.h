// How a run shows that it is alive: a bar on a terminal, plain lines in a file.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <iosfwd>
#include <string>

#include "train/record/metrics.h"

namespace vllama::train {

// Where progress goes and what it may use there.
struct ProgressOutput {
  std::ostream* stream;
  bool is_terminal;
  bool has_unicode;                           // may use line-drawing characters
  std::function<std::int64_t()> num_columns;  // of the terminal, asked at every redraw
  std::function<double()> clock_seconds;      // monotonic
};

// Standard error as it is: terminal or not, its size, and UTF-8 by the usual environment variables.
ProgressOutput standard_error();

// Erases the line on which the cursor stands.
inline constexpr const char* kToStartOfLine = "\r\x1b[K";

// `width` characters, of which the share [0, 1] is drawn full.
std::string bar_text(double share, std::size_t width, bool has_unicode);

// On a terminal one line is redrawn at most ten times a second:
//    34% ━━━━━━━━━━────────────────────  4250/12500  mean loss 2.3456  lr 9.81e-05  12.3k tokens/s
//    ...
// and what does not fit its width is left out, the least telling first. Its numbers are means over
// the latest 50 steps. A line of the same facts goes to the log files, and where there is no
// terminal to the stream, for the first step, every `steps_per_line` steps, and the last:
//   step 4250/12500  loss 2.4012 (mean of 50: 2.3456)  lr 9.81e-05  ...
// with the loss that metrics.jsonl has of the step; speed and waiting are means like the one named.
class Progress {
 public:
  Progress(std::int64_t num_steps_done, std::int64_t num_steps, std::int64_t steps_per_line,
           ProgressOutput output);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void update(const StepMetrics& metrics);

  // Leaves the last state of the bar on a line of its own; anything may be printed afterwards.
  void finish();

 private:
  struct Step {
    StepMetrics metrics;
    double clock_seconds;
  };
  struct Means {
    double loss, tokens_per_second, data_wait_share, seconds_per_step;
  };

  // Over the latest steps, `most_steps` at most; how many these are.
  Means means(std::size_t most_steps) const;
  std::size_t num_latest(std::size_t most_steps) const;
  void draw_bar();
  std::string line() const;

  std::int64_t num_steps_;
  std::int64_t steps_per_line_;
  ProgressOutput output_;
  std::deque<Step> latest_;  // one more than any mean covers, for the time at which they began
  double start_seconds_;
  double last_draw_seconds_;
  std::int64_t num_dropped_ = 0;
  bool is_bar_on_screen_ = false;
  bool has_printed_ = false;
};

}  // namespace vllama::train
