// Examples of a run, built by the code that builds its training samples.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "train/run/run_config.h"
#include "train/show/token_view.h"

namespace vllama::train {

struct ShowOptions {
  // Of a step of the run, from 1 as in metrics.jsonl, all samples, or sample `sample` (from 0) of
  // its global batch. Without a step record `sample` of `dataset`, by default the first record of
  // the first set.
  std::optional<std::int64_t> step = {}, sample = {};
  std::string dataset = {};
  // The steps of this bad_steps.jsonl, or only `step` of them; an empty path is the run's own file.
  std::optional<std::filesystem::path> bad_steps = {};
  // Also the loss and gradient norm of each sample, with the weights of this checkpoint, see
  // find_step(); an empty path is the run's newest.
  std::optional<std::filesystem::path> losses = {};
  std::filesystem::path output = "show";  // folder for the files
  TextStyle style = {};
};

// Of one sample, writes frames.png and sound.png, as far as it has frames and sound, and
// example.html; pictures of an earlier example that this one lacks are removed. Of steps, writes
// steps.html: for each step its reason if it is a bad one, and all samples. Samples that bad steps
// recorded, and that are not those of the configuration any more, are listed instead of drawn; so
// are the bad steps that would make more than 200 samples. Returns the text for the terminal. Opens
// tokenizer and data, weights only for `losses`. Throws UserError for numbers and names that do not
// exist, a single sample that training would drop, and a folder that cannot be written.
std::string show(const RunConfig& config, const ShowOptions& options);

}  // namespace vllama::train
