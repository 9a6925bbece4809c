// bad_steps.jsonl: every step whose numbers went wrong, with all its samples, one JSON object per
// line.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "output/append_file.h"
#include "train/record/metrics.h"
#include "train/record/step_problem.h"

namespace vllama::train {

// A sample as people can find it again.
struct StepSample {
  std::string dataset, id;
  std::vector<std::string> paths;  // of its media

  bool operator==(const StepSample&) const = default;
};

// One line; a key in the file that has another name stands behind its field.
struct BadStep {
  std::int64_t step = 0;                          // as in metrics.jsonl: the first is 1
  StepProblem problem = StepProblem::no_targets;  // reason
  double loss = 0, gradient_norm = 0;             // loss, grad_norm; null where not finite
  std::optional<double> loss_z = {};              // z_score; absent where there is none
  bool skipped = false;                           // action: "skipped", or "kept" if it updated
  // Of all ranks, in the order of the global batch, dropped ones (see dropped.jsonl) included.
  std::vector<StepSample> samples = {};
};

// `metrics.problem` must be there.
BadStep bad_step(const StepMetrics& metrics, std::vector<StepSample> samples);

// For the log: what happened, and the ids of the first samples.
std::string bad_step_text(const BadStep& step);

class BadStepLog {
 public:
  // The file holds at most so many steps of each problem, the first ones; of later ones only
  // metrics.jsonl tells. A line of 256 samples has about 40 kB, the file then at most 32 MB.
  static constexpr std::int64_t kMaxStepsPerProblem = 200;

  // Keeps the lines of the first `num_steps_done` steps of an existing file. Throws RunFailure.
  BadStepLog(const std::filesystem::path& path, std::int64_t num_steps_done);

  // Appends a line at once, unless the problem has had its share. Throws RunFailure.
  void write(const BadStep& step);

 private:
  std::map<StepProblem, std::int64_t> num_steps_of_problem_;  // in the file, filled before it opens
  output::AppendFile file_;
};

// All lines of a file, in order. A last line without its line end is left out. Throws UserError
// naming file and line for anything else that is not a bad step.
std::vector<BadStep> read_bad_steps(const std::filesystem::path& path);

}  // namespace vllama::train
