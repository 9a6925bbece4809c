// Sounds and pictures as they come back from the file of a clip, behind encoder and decoder.
#pragma once

#include <cstdint>
#include <vector>

namespace vllama::toy {

// What something has gone through before it is seen or heard: nothing, or the file of a clip (H.264
// and AAC).
enum class Carrier { none, clip };

// Both use a file in the folder for temporary files, and throw UserError if FFmpeg was built
// without the encoders, RunFailure if the file cannot be written.

// Sounds of one length at kSoundRate.
std::vector<std::vector<float>> sounds_through_clip(const std::vector<std::vector<float>>& sounds);

// Pictures of kSide x kSide x 3 bytes.
std::vector<std::vector<std::uint8_t>> pictures_through_clip(
    const std::vector<std::vector<std::uint8_t>>& pictures);

}  // namespace vllama::toy
