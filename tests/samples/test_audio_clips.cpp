// Clips of sound as the audio encoder takes them, against values of the original pipeline.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <map>
#include <numbers>

#include "media/audio.h"
#include "samples/audio_clips.h"
#include "samples/mel.h"
#include "tests/media/sounds.h"
#include "tests/support/fixtures.h"
#include "tests/support/safetensors_file.h"

using namespace vllama;
using samples::audio_clips;
using samples::AudioClipConfig;

namespace {

// Logarithms of small energies in single precision, divided by 9.138.
constexpr double kMelTolerance = 2e-4;
constexpr std::int64_t kClipValues = 128 * 204;

const float* values_of(const at::Tensor& clips, std::int64_t clip = 0) {
  return clips.const_data_ptr<float>() + clip * kClipValues;
}

double mean_of(const float* values) {
  double sum = 0;
  for (std::int64_t i = 0; i < kClipValues; ++i) sum += values[i];
  return sum / kClipValues;
}

double deviation_of(const float* values) {
  const double mean = mean_of(values);
  double sum = 0;
  for (std::int64_t i = 0; i < kClipValues; ++i) sum += (values[i] - mean) * (values[i] - mean);
  return std::sqrt(sum / kClipValues);
}

float at_bin(const float* values, std::int64_t bin, std::int64_t frame) {
  return values[bin * 204 + frame];
}

media::Waveform mono(std::vector<float> sound, std::int64_t rate_hz = 16000) {
  return {rate_hz, {std::move(sound)}, 0};
}

}  // namespace

TEST_CASE("clips start where the reference's sampler puts them") {
  VLLAMA_SHARED_FILE(path, "goldens/media/audio_clips.json");
  const auto reference = test::read_json(path);
  const std::map<std::string, std::int64_t> num_samples = {
      {"wav8", 160029}, {"wav3", 160029}, {"short44k", 16000}};
  for (const auto& [name, expected] : reference.items()) {
    INFO(name);
    const auto spans = samples::clip_spans(num_samples.at(name), expected["clips"]);
    REQUIRE(spans.size() == expected["timepoints"].size());
    for (std::size_t k = 0; k < spans.size(); ++k) {
      const double start = expected["timepoints"][k][0], end = expected["timepoints"][k][1];
      CHECK(spans[k].begin == std::floor(start * 16000));
      CHECK(spans[k].end == std::min<std::int64_t>(std::floor(end * 16000), num_samples.at(name)));
    }
  }
}

TEST_CASE("clip starts are exact fractions of the rounded duration") {
  const auto reference = test::read_json(test::golden_file("audio/mel_clip_spans.json"));
  for (const auto& [key, expected] : reference.items()) {
    const auto slash = key.find('/');
    const auto spans = samples::clip_spans(std::stoll(key), std::stoll(key.substr(slash + 1)));
    INFO(key);
    REQUIRE(spans.size() == expected.size());
    for (std::size_t k = 0; k < spans.size(); ++k) {
      CHECK(spans[k].begin == expected[k][0]);
      CHECK(spans[k].end == expected[k][1]);
    }
  }
}

TEST_CASE("the mel clips of the original come out") {
  VLLAMA_SHARED_FILE(golden_path, "goldens/media/audio_mel.safetensors");
  VLLAMA_SHARED_FILE(wav_path, "fixtures/media/FwVYUHKoLtQ_000034.wav");
  const auto golden = test::SafetensorsFile(golden_path);
  const auto sound = media::read_audio(wav_path);
  REQUIRE(sound.num_samples() == 160029);

  const auto in_place = audio_clips(sound, {8, samples::Downmix::first}, samples::kReferenceCompat);
  REQUIRE(in_place->sizes() == at::IntArrayRef({8, 1, 128, 204}));
  const auto mel8 = golden.values<float>("wav8.mel");
  CHECK(test::largest_difference(values_of(*in_place), mel8.data(), 8 * kClipValues) <
        kMelTolerance);

  const auto separate = audio_clips(sound);
  const auto clip4 = golden.values<float>("wav8.clip4_mel_if_mean_not_in_place");
  CHECK(test::largest_difference(values_of(*separate, 4), clip4.data(), kClipValues) <
        kMelTolerance);

  const auto three = audio_clips(sound, {3, samples::Downmix::first});
  const auto mel3 = golden.values<float>("wav3.mel");
  CHECK(test::largest_difference(values_of(*three, 2), mel3.data(), kClipValues) < kMelTolerance);
}

TEST_CASE("a short stereo sound at 44.1 kHz is resampled and padded as in the original") {
  VLLAMA_SHARED_FILE(golden_path, "goldens/media/audio_mel.safetensors");
  const auto golden = test::SafetensorsFile(golden_path);
  const auto values = golden.values<float>("short44k.waveform");
  const media::Waveform sound{
      44100, {{values.begin(), values.begin() + 44100}, {values.begin() + 44100, values.end()}}, 0};
  const auto clips = audio_clips(sound, {3, samples::Downmix::first}, samples::kReferenceCompat);
  CHECK(test::largest_difference(values_of(*clips, 2), golden.values<float>("short44k.mel").data(),
                                 kClipValues) < kMelTolerance);
}

TEST_CASE("the published values of a real recording") {
  VLLAMA_SHARED_FILE(wav_path, "fixtures/media/FwVYUHKoLtQ_000034.wav");
  const auto clips = audio_clips(media::read_audio(wav_path));
  const double expected[][6] = {{0, -0.02371, 0.29966, -0.33914, -0.27766, -0.19983},
                                {1, -0.04767, 0.27866, -0.34341, -0.22969, -0.33859},
                                {4, -0.00670, 0.34201, -0.42273, 0.20650, -0.35354},
                                {7, 0.00280, 0.29935, -0.38391, -0.12128, -0.18873}};
  for (const auto& row : expected) {
    const float* clip = values_of(*clips, static_cast<std::int64_t>(row[0]));
    CHECK(mean_of(clip) == Approx(row[1]).margin(2e-5));
    CHECK(deviation_of(clip) == Approx(row[2]).margin(2e-5));
    CHECK(at_bin(clip, 0, 0) == Approx(row[3]).margin(kMelTolerance));
    CHECK(at_bin(clip, 64, 100) == Approx(row[4]).margin(kMelTolerance));
    CHECK(at_bin(clip, 127, 197) == Approx(row[5]).margin(kMelTolerance));
  }
}

TEST_CASE("a tone lights one bin") {
  // The published values are those of a sine whose phase was rounded to single precision, which
  // raises the noise around it.
  std::vector<float> tone(32000);
  constexpr auto kRadiansPerSecond = static_cast<float>(2 * std::numbers::pi * 440);
  for (std::size_t i = 0; i < tone.size(); ++i)
    tone[i] = 0.5f * std::sin(kRadiansPerSecond * (static_cast<float>(i) / 16000.0f));
  const auto clips = audio_clips(mono(tone));
  const float* clip = values_of(*clips);
  CHECK(mean_of(clip) == Approx(-0.87756).margin(kMelTolerance));
  std::int64_t brightest = 0;
  for (std::int64_t bin = 0; bin < 128; ++bin)
    if (at_bin(clip, bin, 100) > at_bin(clip, brightest, 100)) brightest = bin;
  CHECK(brightest == 23);
  CHECK(at_bin(clip, 23, 100) == Approx(0.89481).margin(kMelTolerance));
}

TEST_CASE("silence, and silence with an offset, is the floor; padding is zero before scaling") {
  for (const float level : {0.0f, 0.25f}) {
    const auto clips = audio_clips(mono(std::vector<float>(32000, level)));
    for (std::int64_t bin = 0; bin < 128; ++bin) {
      CHECK(at_bin(values_of(*clips, 7), bin, 0) == Approx(-1.27756).margin(1e-5));
      CHECK(at_bin(values_of(*clips, 7), bin, 197) == Approx(-1.27756).margin(1e-5));
      CHECK(at_bin(values_of(*clips, 7), bin, 198) == Approx(0.46706).margin(1e-5));
      CHECK(at_bin(values_of(*clips, 7), bin, 203) == Approx(0.46706).margin(1e-5));
    }
  }
}

TEST_CASE("sounds of less than one frame are absent, others are not") {
  CHECK_FALSE(audio_clips({}).has_value());
  CHECK_FALSE(audio_clips(mono({})).has_value());
  CHECK_FALSE(audio_clips(mono(std::vector<float>(399, 0.1f))).has_value());
  CHECK_FALSE(audio_clips(mono(std::vector<float>(1099, 0.1f), 44100)).has_value());
  const auto one_frame = audio_clips(mono(test::make_sound("noise", 400, 16000)));
  REQUIRE(one_frame.has_value());
  CHECK(at_bin(values_of(*one_frame), 64, 0) != Approx(0.46706f).margin(1e-3));
  CHECK(at_bin(values_of(*one_frame), 64, 1) == Approx(0.46706f).margin(1e-5));
}

TEST_CASE("up to 2 s all clips are one; in longer sounds a clip is the same alone") {
  const auto shorter = audio_clips(mono(test::make_sound("noise", 20000, 16000)));
  for (std::int64_t clip = 1; clip < 8; ++clip)
    CHECK(std::equal(values_of(*shorter), values_of(*shorter) + kClipValues,
                     values_of(*shorter, clip)));

  auto sound = test::make_sound("noise", 80000, 16000);
  for (std::size_t i = 0; i < sound.size(); ++i) sound[i] += 1e-5f * static_cast<float>(i);
  const auto together = audio_clips(mono(sound));
  for (const std::int64_t clip : {1, 4, 7}) {
    const auto span = samples::clip_spans(80000, 8)[clip];
    const auto alone = audio_clips(mono({sound.begin() + span.begin, sound.begin() + span.end}));
    CHECK(
        std::equal(values_of(*alone), values_of(*alone) + kClipValues, values_of(*together, clip)));
  }
}

TEST_CASE("channels: the first one is heard, all of them are centred, a mean on request") {
  const auto noise = test::make_sound("noise", 40000, 16000);
  const auto tone = test::make_sound("tone", 40000, 16000);
  std::vector<float> half_sum(40000);
  for (std::size_t i = 0; i < half_sum.size(); ++i) half_sum[i] = (noise[i] + tone[i]) / 2;
  const media::Waveform stereo{16000, {noise, tone}, 0};

  const auto first = audio_clips(stereo), only = audio_clips(mono(noise));
  CHECK(test::largest_difference(values_of(*first), values_of(*only), 8 * kClipValues) < 1e-4);
  const auto mean = audio_clips(stereo, {8, samples::Downmix::mean}),
             mixed = audio_clips(mono(half_sum));
  CHECK(test::largest_difference(values_of(*mean), values_of(*mixed), 8 * kClipValues) < 1e-4);
  CHECK(test::largest_difference(values_of(*mean), values_of(*first), 8 * kClipValues) > 0.1);
}

TEST_CASE("a long sound gives as many clips as asked for, ending before its last eighth") {
  for (const std::int64_t num_clips : {1, 8, 20}) {
    const auto clips = audio_clips(mono(test::make_sound("noise", 60 * 8000, 8000), 8000),
                                   {num_clips, samples::Downmix::first});
    CHECK(clips->size(0) == num_clips);
  }
  const auto spans = samples::clip_spans(16000 * 3600, 8);
  CHECK(spans.back().end == 16000 * (3598 * 7 / 8.0 + 2));
}
