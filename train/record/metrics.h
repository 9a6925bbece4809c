// metrics.jsonl: what every optimizer step did, one JSON object per line.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "output/append_file.h"
#include "train/record/step_problem.h"

namespace vllama::train {

// The slowest rank of the latest steps.
struct Straggler {
  std::int64_t rank = 0;
  double ratio = 1;    // of its time per step to the median of all ranks
  std::string reason;  // "data" or "compute": what most of the excess goes to
};

// One line; the key in the file is named behind each field that has another name there. A loss or
// norm that is not finite stands as null in the file, because JSON has no word for it, and reads
// back as not a number.
struct StepMetrics {
  std::int64_t step = 0;               // optimizer steps done, this one included: the first is 1
  double loss = 0;                     // mean over the target tokens of the global batch
  double learning_rate = 0;            // lr
  double gradient_norm = 0;            // grad_norm: L2, before clipping
  std::int64_t num_samples = 0;        // samples
  std::int64_t num_tokens = 0;         // tokens
  std::int64_t num_target_tokens = 0;  // target_tokens
  double seconds = 0;                  // from the start of this step to the start of the next
  double data_wait_seconds = 0;        // the part of `seconds` in which the step had no batch
  std::optional<std::int64_t> peak_memory_bytes;  // of the device; absent on the CPU
  std::int64_t num_shortened = 0;  // shortened: samples whose text was cut; absent when none
  std::map<std::string, std::int64_t> dropped;  // samples dropped in this step, by reason
  // How far the loss lies above earlier ones (see SpikeDetector); absent while they are too few.
  std::optional<double> loss_z;
  std::optional<StepProblem> problem;     // what went wrong; absent in a good step
  bool skipped = false;                   // the weights were left as they were; absent when not
  std::optional<std::int64_t> num_ranks;  // this and the next two only of several ranks
  // The part of `seconds` in which rank 0 was in collectives, waiting for slower ranks included.
  std::optional<double> communication_seconds;
  std::optional<Straggler> straggler;  // only of steps that end a round of measuring

  double tokens_per_second() const;  // 0 while `seconds` is 0
  std::int64_t num_dropped() const;
};

// Appends lines to one file.
class MetricsWriter {
 public:
  // Keeps the lines of steps 1..num_steps_done (0 for a new run) and removes everything else from
  // an existing file: later steps, a last line torn by a crash, a step that is there twice. Throws
  // RunFailure if the file cannot be written.
  MetricsWriter(const std::filesystem::path& path, std::int64_t num_steps_done);

  // Writes one line at once. Throws RunFailure, for instance on a full disk.
  void write(const StepMetrics& metrics);

 private:
  output::AppendFile file_;
};

// All lines of a file, in order. A last line without its line end is still being written, or was
// torn by a crash, and is left out. Throws UserError naming file and line for anything else that is
// not a metrics line.
std::vector<StepMetrics> read_metrics(const std::filesystem::path& path);

}  // namespace vllama::train
