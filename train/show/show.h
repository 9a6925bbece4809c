// One example of a run, built by the code that builds its training samples.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "train/run_config.h"
#include "train/show/token_view.h"

namespace vllama::train {

struct ShowOptions {
  // The first sample of a step of the run, or record `sample` of `dataset`, by default the first
  // record of the first set.
  std::optional<std::int64_t> step = {}, sample = {};
  std::string dataset = {};
  std::filesystem::path output = "show";  // folder for the files
  TextStyle style = {};
};

// Writes frames.png and sound.png, as far as the example has frames and sound, and example.html;
// pictures of an earlier example that this one lacks are removed. Returns the text for the
// terminal. Opens tokenizer and data, no weights. Throws UserError for numbers and names that do
// not exist, a sample that training would drop, and a folder that cannot be written.
std::string show(const RunConfig& config, const ShowOptions& options);

}  // namespace vllama::train
