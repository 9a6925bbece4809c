// Where a run goes on.
#pragma once

#include <map>
#include <string>

#include "datasets/loading/mixture.h"
#include "train/loop/trainer.h"
#include "train/run_start.h"
#include "train/train.h"

namespace vllama::train {

struct Beginning {
  models::ModelConfig model;  // without starting points that are gone and not missed
  // The newest checkpoint of the run is that of its last step, and of this configuration.
  bool nothing_is_left = false;
  RunStart start = {};  // on rank 0
  // On rank 0: the texts of every checkpoint from now on, by the names of their files, which say
  // what is trained, and on what.
  std::map<std::string, std::string> texts = {};
};

// Together, before anything large is read: rank 0 finds where the run begins, and looks at its
// weight files and at what the checkpoint was trained with; the other ranks need not see the run's
// folder. Throws UserError on all ranks for what loading the weights or resuming would refuse: also
// if the configuration trains something else than the checkpoint's did, or files that it trains on
// have changed, and options.accept_changes is not set.
Beginning find_beginning(const RunFolder& folder, const RunConfig& config,
                         const language::LlamaConfig& language_model, const TrainOptions& options,
                         const datasets::Mixture& data, distributed::Communicator& ranks);

// Together: the state of rank 0's checkpoint, if there is one, becomes that of all trainers. A new
// run has no progress.
RunProgress resume(RunStart start, Trainer& trainer, distributed::Communicator& ranks);

}  // namespace vllama::train
