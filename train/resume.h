// Where a run goes on.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "datasets/mixture.h"
#include "train/run_folder.h"
#include "train/run_state.h"
#include "train/train.h"
#include "train/trainer.h"

namespace vllama::train {

struct Resumption {
  RunProgress progress;
  // On rank 0: the texts of every checkpoint from now on, by the names of their files, which say
  // what is trained, and on what.
  std::map<std::string, std::string> texts;
};

// Together: rank 0 finds the checkpoint that `options` name, reads it into its trainer and shares
// it with all ranks, which need not see the folder. A new run has no progress. Throws
// UserError on all ranks, also if the configuration trains something else than the checkpoint's
// did, or files that it trains on have changed, and options.accept_changes is not set.
Resumption resume(const RunFolder& folder, const RunConfig& config, const TrainOptions& options,
                  const datasets::Mixture& data, Trainer& trainer,
                  distributed::Communicator& ranks);

// Together: the same configuration of the model without starting points that are gone and that the
// checkpoint to go on from replaces; rank 0 decides.
models::ModelConfig without_replaced(const RunConfig& config, const RunFolder& folder,
                                     const TrainOptions& options, distributed::Communicator& ranks);

// Together: the newest checkpoint of the run, if it is whole, that of the last step, and of this
// configuration, so that nothing is left to train; else nothing, and resume() says what is wrong.
std::optional<std::filesystem::path> finished_checkpoint(const RunFolder& folder,
                                                         const RunConfig& config,
                                                         const TrainOptions& options,
                                                         const datasets::Mixture& data,
                                                         distributed::Communicator& ranks);

}  // namespace vllama::train
