// How large the mel spectrograms of ImageBind are.
#pragma once

#include <cstdint>

namespace vllama::samples {

inline constexpr std::int64_t kMelSampleRateHz = 16000;
inline constexpr std::int64_t kNumMelBins = 128;
inline constexpr std::int64_t kMelFrameSamples = 400;  // 25 ms
inline constexpr std::int64_t kMelShiftSamples = 160;  // 10 ms

inline constexpr std::int64_t kAudioClipFrames = 204;  // of a clip of 2 s

}  // namespace vllama::samples
