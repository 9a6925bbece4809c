// The one list of rules between the sections of a run's configuration, and towards the small files
// that it names. Training refuses what breaks one before anything large is read; a check lists it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "language/llama_config.h"
#include "text/tokenizers/tokenizer.h"
#include "train/run/run_config.h"

namespace vllama::train {

struct RunBasics {
  std::vector<std::string> broken;  // rules; each says what to change. None if the run may start
  // What was read of the language model's folder on the way; nothing where that failed.
  std::unique_ptr<text::Tokenizer> tokenizer;
  std::optional<language::LlamaConfig> language_model;
};

// Looks at every rule but that for the run's folder (RunFolder::problem), which rank 0 alone has to
// see; also after a broken one. Reads tokenizer and config.json of the language model, and the
// questions and annotations below eval; creates nothing but their indexes. Never throws UserError.
RunBasics look_at_rules(const RunConfig& config);

}  // namespace vllama::train
