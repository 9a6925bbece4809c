// Sound as WAV files.
#pragma once

#include <filesystem>
#include <span>
#include <string>

namespace vllama::media {

// The bytes of a WAV file of one channel, 16-bit PCM. Samples beyond -1 to 1 are clipped. At most
// 2^30 samples.
std::string encode_wav(std::span<const float> samples, int sample_rate_hz);

// The same as a file that appears whole or not at all. Throws RunFailure naming the path.
void write_wav(std::span<const float> samples, int sample_rate_hz,
               const std::filesystem::path& path);

}  // namespace vllama::media
