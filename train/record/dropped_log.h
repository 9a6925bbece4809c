// dropped.jsonl: every sample that was left out, with the reason, one JSON object per line.
#pragma once

#include <filesystem>
#include <vector>

#include "datasets/loading/loader.h"
#include "output/append_file.h"

namespace vllama::train {

// One JSON object per line, and back. Throws InternalError for text that is not from to_lines().
std::string to_lines(const std::vector<datasets::DroppedSample>& samples);
std::vector<datasets::DroppedSample> from_lines(const std::string& lines);

class DroppedLog {
 public:
  // Keeps the lines of the first `num_steps_done` steps of an existing file. Throws RunFailure.
  DroppedLog(const std::filesystem::path& path, std::int64_t num_steps_done);

  void write(const std::vector<datasets::DroppedSample>& samples);

 private:
  output::AppendFile file_;
};

}  // namespace vllama::train
