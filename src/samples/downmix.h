// One signal of several channels.
#pragma once

#include <vector>

#include "samples/audio_clip_config.h"

namespace vllama::samples {

// Of at least one channel, all of one length.
std::vector<float> downmixed(const std::vector<std::vector<float>>& channels, Downmix downmix);

}  // namespace vllama::samples
