// A small run that lasts until something ends it, with ranks that do not wait long for each other.
#pragma once

#include <string>

#include "tests/train/tiny_world.h"

namespace vllama::test {

class LongRun : public TinyWorld {
 public:
  LongRun();

  // A shell command that trains the run; `options` are more of its arguments.
  std::string command(const std::string& options = "") const;
  // Makes the indexes of the data sets, which ranks otherwise do as they start.
  void make_indexes() const;
  std::filesystem::path folder() const { return config.output_dir; }
  // Waits until metrics.jsonl holds more than `step` steps.
  void wait_for_step(std::int64_t step) const;

  train::RunConfig config;
};

// Waits until `file` exists; fails the test after a minute.
void wait_for_file(const std::filesystem::path& file);
// The same until it contains `text`.
void wait_for_text(const std::filesystem::path& file, const std::string& text);

// The trained weights and the optimizer's state of a saved step, as bytes.
std::string saved_bytes(const std::filesystem::path& run_folder, std::int64_t step);

}  // namespace vllama::test
