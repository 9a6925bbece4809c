// Opens what was trained for use.
#pragma once

#include <c10/core/Device.h>

#include "inference/bundle/open_bundle.h"
#include "train/saved/saved_checkpoint.h"

namespace vllama::train {

// How a checkpoint is talked to: what was trained here in the layout of its training, files of the
// Python original in that of the released checkpoints; both of the family of the run's
// conversations. Of several files that a configuration names the one read last decides.
inference::ChatSettings chat_settings(const SavedCheckpoint& saved);

// `path` is a bundle, or anything that find_checkpoint() takes; its configuration is taken with
// options.overrides. Nothing of the model has a gradient, adapters are merged. Throws
// UserError naming every file that is missing or does not fit.
inference::OpenedModel open_saved(const std::filesystem::path& path, at::Device device,
                                  const inference::OpenBundleOptions& options = {});

}  // namespace vllama::train
