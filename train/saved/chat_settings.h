// How a model is talked to that a run trains.
#pragma once

#include "inference/chat_settings.h"
#include "train/run/run_config.h"

namespace vllama::train {

// In the layout of the run's conversations, with the frames of its first data set.
inference::ChatSettings training_chat_settings(const RunConfig& config);
samples::MediaSettings media_settings(const RunConfig& config);

}  // namespace vllama::train
