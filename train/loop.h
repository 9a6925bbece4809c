// The loop over the steps of a run, on one of its ranks.
#pragma once

#include <memory>
#include <optional>

#include "train/run_record.h"
#include "train/step_health.h"
#include "train/stop_signal.h"
#include "train/stragglers.h"
#include "train/trainer.h"

namespace vllama::train {

class Loop {
 public:
  // Where the batches of the steps come from.
  struct Data {
    const datasets::SampleOrder& order;
    const datasets::SampleSource& source;
    datasets::Loader& loader;  // of this rank
  };

  // All of them outlive the loop.
  Loop(const RunConfig& config, const RunFolder& folder, distributed::Communicator& ranks,
       Trainer& trainer, const Data& data, const RunProgress& progress);

  // Together: trains to the last step, or until a signal reached some rank; the same step is the
  // last one on all. Rank 0 records every step and saves checkpoints. Returns the number of the
  // signal, or 0.
  int run();

 private:
  void run_step();
  RankReport report() const;
  void add_ranks(const StepResult& result, double communication_seconds, StepMetrics& metrics);
  void record(const StepResult& result);
  void check_health(const StepResult& result);
  void save_if_due();

  const RunConfig& config_;
  const RunFolder& folder_;
  distributed::Communicator& ranks_;
  Trainer& trainer_;
  Data data_;
  RunProgress progress_;
  std::unique_ptr<RunRecord> record_;  // on rank 0
  StopSignal stop_;
  int agreed_signal_ = 0;  // that all ranks know of
  RankReport last_step_;   // of this rank
  StepHealth health_;
  std::optional<StragglerWatch> stragglers_;  // of several ranks
};

}  // namespace vllama::train
