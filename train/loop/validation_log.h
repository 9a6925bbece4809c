// eval.jsonl: what the evaluations of a run gave, one JSON object per line.
#pragma once

#include "output/append_file.h"
#include "train/loop/validation.h"

namespace vllama::train {

class ValidationLog {
 public:
  // Goes on after `num_steps_done` steps; what the file says of later ones is removed.
  ValidationLog(const std::filesystem::path& path, std::int64_t num_steps_done);

  // {"step", and every metric by its name}.
  void write(std::int64_t step, const ValidationResult& result);

 private:
  output::AppendFile file_;
};

}  // namespace vllama::train
