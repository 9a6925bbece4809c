// Where a run goes on.
#pragma once

#include "train/run_folder.h"
#include "train/run_state.h"
#include "train/train.h"
#include "train/trainer.h"

namespace vllama::train {

// Together: rank 0 finds the checkpoint that `options` name, reads it into its trainer and shares
// it with all ranks, which need not see the folder. Returns its progress, or that of a new run.
// Throws UserError on all ranks, also if the configuration trains something else than the
// checkpoint's did and options.accept_changes is not set.
RunProgress resume(const RunFolder& folder, const RunConfig& config, const TrainOptions& options,
                   Trainer& trainer, distributed::Communicator& ranks);

}  // namespace vllama::train
