// Where a run begins, and whether it may go on from there: all that is known of it before anything
// large is read, but for the checkpoint itself.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "checkpoint/step_directory.h"
#include "models/video_llama.h"
#include "train/provenance/provenance.h"
#include "train/run/run_config.h"
#include "train/run/run_folder.h"
#include "train/run/run_state.h"

namespace vllama::train {

struct RunStart {
  std::optional<checkpoint::LoadedStep> checkpoint = {};  // to go on from; none: a new run
  RunProgress progress = {};
  std::optional<Provenance> trained_on = {};  // as the checkpoint recorded it
  // Keys below model.weights of starting points that are gone and that the checkpoint replaces.
  std::vector<std::string> left_out = {};
};

// What `resume` (see TrainOptions) names. Throws UserError if a run cannot begin so, whatever its
// configuration is.
RunStart find_start(const RunFolder& folder, const RunConfig& config, const std::string& resume);

// What the run would be trained on, `data` included. Throws UserError naming a file that is
// missing.
Provenance present_inputs(const RunStart& start, const RunConfig& config,
                          std::vector<InputData> data);

struct ResumeVerdict {
  std::string refusal = {};                // and what to change; empty: the run goes on
  std::vector<std::string> warnings = {};  // what it goes on in spite of
  bool is_unchanged = false;               // it goes on with what it was trained with
};

// Compares the configuration, what the run is trained on `now`, and what of `model` trains (needs
// no tensors; null: not compared) with the checkpoint of `start`, which has one.
ResumeVerdict judge_resume(const RunStart& start, const RunConfig& config, const Provenance& now,
                           models::VideoLlama* model, bool accept_changes);

}  // namespace vllama::train
