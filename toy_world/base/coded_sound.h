// Sound as it comes back from the file of a clip.
#pragma once

#include <vector>

namespace vllama::toy {

// Sounds of one length at kSoundRate -> the same behind the sound encoder of clips (AAC) and the
// decoder. Uses a file in the folder for temporary files. Throws UserError if FFmpeg was built
// without the encoders, RunFailure if the file cannot be written.
std::vector<std::vector<float>> through_clip_file(const std::vector<std::vector<float>>& sounds);

}  // namespace vllama::toy
