// A piece of decoded sound.
#pragma once

#include <cstdint>
#include <vector>

namespace vllama::media {

struct Waveform {
  std::int64_t sample_rate_hz = 0;
  // One signal per channel, all of one length, nominally in [-1, 1] and never clipped.
  std::vector<std::vector<float>> channels;
  // Packets that could not be decoded; their samples are missing.
  std::int64_t num_lost_packets = 0;

  std::int64_t num_samples() const {
    return channels.empty() ? 0 : static_cast<std::int64_t>(channels.front().size());
  }
};

}  // namespace vllama::media
