// Short clips as MP4 files: H.264 pictures, and AAC sound beside them.
#pragma once

#include <filesystem>
#include <span>
#include <string>

#include "media/image.h"

namespace vllama::media {

// One signal; samples from -1 to 1.
struct MonoSound {
  int sample_rate_hz = 0;
  std::span<const float> samples;
};

// Throws UserError naming the encoders that this FFmpeg was built without: libx264, and aac if
// there is sound. For the beginning of long work.
void require_video_encoders(bool with_sound);

// The bytes of an MP4 file that shows each picture for 1/frames_per_second seconds, and plays
// `sound` (none if it has no samples) from the beginning, followed by silence up to a whole block
// of 1024 samples; all in memory, so for short clips. High quality (H.264 with
// the constant quantiser 20, yuv420p). Every picture is coded by itself, so that none shows traces
// of others, which would tell the direction of time. The same bytes for the same input with the
// same FFmpeg. The pictures, at least one, have one size of even width and height. Throws UserError
// as above, MediaError with FFmpeg's own text otherwise.
std::string encode_video(std::span<const Image> pictures, int frames_per_second,
                         const MonoSound& sound = {});

// The same as a file that appears whole or not at all; RunFailure names the path that cannot be
// written.
void write_video(std::span<const Image> pictures, int frames_per_second, const MonoSound& sound,
                 const std::filesystem::path& path);

}  // namespace vllama::media
