// The loop over the steps of a run, on one of its ranks.
#pragma once

#include <memory>
#include <optional>

#include "train/loop/checkpoint_writer.h"
#include "train/loop/run_record.h"
#include "train/loop/trainer.h"
#include "train/watch/step_health.h"
#include "train/watch/stop_signal.h"
#include "train/watch/stragglers.h"

namespace vllama::train {

// What a loop works with; all of it outlives the loop.
struct LoopParts {
  const RunConfig& config;
  const RunFolder& folder;
  distributed::Communicator& ranks;
  Trainer& trainer;
  const datasets::SampleOrder& order;
  const datasets::SampleSource& data;
  datasets::Loader& loader;
  const Validation& validation;
  const StopSignal& stop;
  const std::map<std::string, std::string>& texts;  // of every checkpoint; on rank 0
};

class Loop {
 public:
  Loop(const LoopParts& parts, RunProgress progress);

  // Together: trains to the last step, or until a signal reached some rank; the same step is the
  // last one on all. Rank 0 records every step and saves checkpoints. Returns the number of the
  // signal, or 0. Throws RunFailure if not one step of a whole run had a finite loss.
  int run();

 private:
  void run_step();
  void require_some_loss() const;
  RankReport report() const;
  void add_times(StepMetrics& metrics, const std::vector<RankReport>& reports);
  void record(const StepResult& result);
  void check_health(const StepResult& result);
  void validate_if_due();
  void save_if_due();

  LoopParts parts_;
  RunProgress progress_;
  std::unique_ptr<CheckpointWriter> checkpoints_;  // on rank 0
  std::unique_ptr<RunRecord> record_;              // on rank 0
  std::optional<StragglerWatch> stragglers_;       // on rank 0 of several
  StepHealth health_;
  int agreed_signal_ = 0;                         // that all ranks know of
  RankReport last_step_;                          // of this rank
  double last_seconds_ = 0;                       // of the latest step
  bool has_finite_loss_;                          // some step, as far as is known
  std::map<StepProblem, std::int64_t> problems_;  // of the steps since the start of this process
  std::map<std::string, double> validated_;       // what the latest step was found to be worth
};

}  // namespace vllama::train
