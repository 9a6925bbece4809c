// Whisper's front end against WhisperFeatureExtractor of transformers.
#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>

#include <catch2/catch.hpp>

#include "samples/whisper_mel.h"
#include "samples/whole_sound.h"
#include "tests/support/fixtures.h"
#include "tests/support/golden_tensors.h"

using namespace vllama;

namespace {

constexpr double kWhisperTolerance = 1e-4;

std::vector<float> samples_of(const at::Tensor& sound) {
  const at::Tensor values = sound.contiguous();
  return {values.const_data_ptr<float>(), values.const_data_ptr<float>() + values.numel()};
}

double largest_difference(const at::Tensor& found, const at::Tensor& expected) {
  REQUIRE(found.sizes() == expected.sizes());
  return (found - expected).abs().max().item<double>();
}

at::Tensor mel_of(const at::Tensor& sound, std::int64_t num_bins, std::int64_t num_frames) {
  at::Tensor mel_BT = at::empty({num_bins, num_frames}, at::kFloat);
  samples::WhisperMel mel(num_bins);
  mel(samples_of(sound), num_frames, mel_BT.mutable_data_ptr<float>());
  return mel_BT;
}

media::Waveform waveform(std::size_t num_samples, std::int64_t rate = 16000) {
  media::Waveform result{.sample_rate_hz = rate, .channels = {}};
  result.channels.emplace_back(num_samples);
  for (std::size_t i = 0; i < num_samples; ++i)
    result.channels[0][i] = static_cast<float>(i % 97) / 97 - 0.5f;
  return result;
}

}  // namespace

TEST_CASE("Whisper's mel: sounds that fill a piece or part of it, of 80 and 128 bins") {
  const test::GoldenTensors golden(test::golden_file("reference/whisper.safetensors"));
  CHECK(largest_difference(mel_of(golden["short_128.sound"], 128, 100), golden["short_128.mel"]) <
        kWhisperTolerance);
  CHECK(largest_difference(mel_of(golden["whole_80.sound"], 80, 100), golden["whole_80.mel"]) <
        kWhisperTolerance);
}

TEST_CASE("Whisper's mel: 30 s of a real sound") {
  VLLAMA_SHARED_FILE(recorded, "real_models/goldens/whisper.safetensors");
  const test::GoldenTensors golden(recorded);
  CHECK(largest_difference(mel_of(golden["waveform_16k"], 80, 3000), golden["mel"]) <
        kWhisperTolerance);
}

TEST_CASE("whole sounds: pieces behind one another, and where the sound ends in the last one") {
  const samples::SoundInput input = samples::whole_sound(80, /*tokens_per_piece=*/50);
  CHECK_FALSE(input.takes_clips);
  const auto units = [&](std::size_t num_samples) {
    return input.units(waveform(num_samples), {}, samples::kNoCompat);
  };
  CHECK_FALSE(units(0));
  CHECK_FALSE(units(399));
  const auto shortest = units(400);
  REQUIRE(shortest);
  CHECK(shortest->values.sizes() == at::IntArrayRef({1, 80, 100}));
  CHECK(shortest->num_padding == 48);
  CHECK(units(16000)->num_padding == 0);
  const auto longer = units(16001);
  CHECK(longer->values.size(0) == 2);
  CHECK(longer->num_padding == 49);
  // A piece is what it is without those behind it.
  const at::Tensor first = units(16000)->values[0];
  CHECK(largest_difference(units(32000)->values[0], first) == 0);
}

TEST_CASE("whole sounds: the mean of two channels, or the first, at any rate") {
  const samples::SoundInput input = samples::whole_sound(80, 50);
  media::Waveform stereo = waveform(8000, 8000);
  stereo.channels.emplace_back(8000, 0.0f);
  const auto of = [&](samples::Downmix downmix) {
    return *input.units(stereo, {.downmix = downmix}, samples::kNoCompat);
  };
  CHECK(of(samples::Downmix::first).num_padding == 0);
  CHECK(largest_difference(of(samples::Downmix::first).values,
                           input.units(waveform(8000, 8000), {}, samples::kNoCompat)->values) == 0);
  CHECK(largest_difference(of(samples::Downmix::mean).values, of(samples::Downmix::first).values) >
        0.01);
}
