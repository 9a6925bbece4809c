// The loop over the steps of a run, on one of its ranks.
#pragma once

#include <memory>

#include "train/checkpoint_writer.h"
#include "train/run_record.h"
#include "train/stop_signal.h"
#include "train/trainer.h"

namespace vllama::train {

class Loop {
 public:
  // All of them outlive the loop.
  Loop(const RunConfig& config, const RunFolder& folder, distributed::Communicator& ranks,
       Trainer& trainer, datasets::Loader& loader, const RunProgress& progress);

  // Together: trains to the last step, or until a signal reached some rank; the same step is the
  // last one on all. Rank 0 records every step and saves checkpoints. Returns the number of the
  // signal, or 0.
  int run();

 private:
  void run_step();
  RankReport report() const;
  void record(const StepResult& result);
  void check_health(const StepResult& result);
  void save_if_due();

  const RunConfig& config_;
  distributed::Communicator& ranks_;
  Trainer& trainer_;
  datasets::Loader& loader_;
  RunProgress progress_;
  std::unique_ptr<CheckpointWriter> checkpoints_;  // on rank 0
  std::unique_ptr<RunRecord> record_;              // on rank 0
  StopSignal stop_;
  int agreed_signal_ = 0;           // that all ranks know of
  RankReport last_step_;            // of this rank
  std::int64_t num_bad_steps_ = 0;  // in a row
};

}  // namespace vllama::train
