// Sounds made by formula, and small readers and writers that the audio tests share.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace vllama::test {

// The signals of tools/reference/mel_fbank.py: "noise", "sweep", "tone", "silence".
std::vector<float> make_sound(const std::string& kind, std::int64_t num_samples,
                              std::int64_t rate_hz);

// A WAV file of 32-bit floats, one vector per channel.
void write_wav(const std::filesystem::path& path, std::int64_t rate_hz,
               const std::vector<std::vector<float>>& channels);

nlohmann::json read_json(const std::filesystem::path& path);

// The largest absolute difference of two sequences of one length.
double largest_difference(const float* a, const float* b, std::size_t count);

// The largest absolute difference to the values kept in a reference case's "exact" entry.
double largest_difference(const std::vector<float>& values, const nlohmann::json& exact);

}  // namespace vllama::test
