#include "media/write_wav.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "core/error.h"
#include "core/files.h"

namespace vllama::media {
namespace {

constexpr std::size_t kBytesPerSample = 2;
constexpr std::size_t kMaxSamples = std::size_t{1} << 30;
constexpr float kFullScale = 32767;

// Appends the lowest `num_bytes` bytes of `value`, the lowest first.
void append(std::string& bytes, std::uint64_t value, int num_bytes) {
  for (int i = 0; i < num_bytes; ++i) bytes += static_cast<char>((value >> (8 * i)) & 0xff);
}

}  // namespace

std::string encode_wav(std::span<const float> samples, int sample_rate_hz) {
  VLLAMA_ASSERT(sample_rate_hz > 0 && samples.size() <= kMaxSamples,
                "a WAV file has a sample rate and at most 2^30 samples");
  constexpr std::uint64_t kFormatBytes = 16, kPcm = 1, kNumChannels = 1;
  const std::size_t num_bytes = samples.size() * kBytesPerSample;
  const auto rate = static_cast<std::uint64_t>(sample_rate_hz);
  std::string file = "RIFF";
  append(file, 4 + 8 + kFormatBytes + 8 + num_bytes, 4);
  file += "WAVEfmt ";
  append(file, kFormatBytes, 4);
  append(file, kPcm, 2);
  append(file, kNumChannels, 2);
  append(file, rate, 4);
  append(file, rate * kBytesPerSample, 4);
  append(file, kBytesPerSample, 2);
  append(file, 8 * kBytesPerSample, 2);
  file += "data";
  append(file, num_bytes, 4);
  file.reserve(file.size() + num_bytes);
  for (const float sample : samples)
    append(file,
           static_cast<std::uint64_t>(std::lround(std::clamp(sample, -1.0F, 1.0F) * kFullScale)),
           2);
  return file;
}

void write_wav(std::span<const float> samples, int sample_rate_hz,
               const std::filesystem::path& path) {
  write_file_atomically(path, encode_wav(samples, sample_rate_hz));
}

}  // namespace vllama::media
