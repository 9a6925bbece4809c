// Puts a bundle together.
#pragma once

#include "train/export/export.h"
#include "train/export/model_card.h"

namespace vllama::train {

// A checkpoint with everything that is not in its base weights.
struct Exportable {
  SavedCheckpoint saved;
  std::vector<std::pair<std::string, at::Tensor>> trained = {};
  inference::ChatSettings chat = {};
};

// Throws UserError naming the file that is missing or does not fit.
Exportable read_exportable(const ExportOptions& options);

// Writes everything but the card into `folder`, which is empty and will take the name
// options.output. Returns what the card is to say. Throws UserError if the base weights do not fit
// the trained part, if there is no room for copies, or if they lie in what is to be replaced.
ExportedModel write_bundle(const std::filesystem::path& folder, const ExportOptions& options,
                           const Exportable& source, BaseWeights base);

}  // namespace vllama::train
