// A checkpoint in the form of the Python original.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "inference/chat_settings.h"
#include "train/saved/saved_checkpoint.h"
#include "weights/values/value.h"

namespace vllama::train {

// {"model", "optimizer", "config", "scaler", "epoch", "vllama"}.
// - "model": `trained` in the order of the original's modules, with the buffers that it saves, so
//   that its files and ours have the same names.
// - "optimizer": AdamW's two groups and the moments of `moments` (optimizer.safetensors of a step)
//   by flat index. Without moments, or if the run trains other modules than the published training
//   of its branches, it is None: the original starts from such a file, but cannot resume it.
// - "config": reference_config(). "scaler": None. "epoch": of the last that is done, from 0.
// - "vllama": our configuration, step, metrics and template, which the original ignores.
// All plain values and tensors: torch.load(weights_only=True) takes it.
weights::Value reference_checkpoint(const SavedCheckpoint& saved,
                                    const std::vector<std::pair<std::string, at::Tensor>>& trained,
                                    const weights::NamedTensors& moments,
                                    const inference::ChatSettings& chat);

}  // namespace vllama::train
