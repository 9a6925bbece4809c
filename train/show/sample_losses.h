// The loss of every single sample, to find the one that spoiled a step.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "datasets/entries/record.h"
#include "models/video_llama.h"
#include "samples/example.h"
#include "train/loop/trainer.h"
#include "train/run/run_config.h"

namespace vllama::train {

struct SampleLoss {
  double loss;           // mean over the sample's own target tokens
  double gradient_norm;  // of that mean
  std::optional<StepProblem> problem;
};

class SampleLosses {
 public:
  // Loads the model with the weights of a checkpoint, see find_step(); an empty path is the newest
  // whole one of the run. Throws UserError.
  SampleLosses(const RunConfig& config, const std::filesystem::path& checkpoint,
               std::int64_t image_token);

  // With the dropout that the sample has in its step of the run. In that step's batch the same
  // weights give the same sum over the sample's tokens, up to the rounding of another order.
  SampleLoss of(const samples::Example& example);

  const std::string& checkpoint() const { return checkpoint_; }

 private:
  std::string checkpoint_;
  RunConfig config_;  // with one sample a step
  std::int64_t image_token_;
  std::unique_ptr<models::VideoLlama> model_;
  distributed::Communicator one_rank_;
  Trainer trainer_;
};

}  // namespace vllama::train
