// The sinc resampler against torchaudio.
#include <catch2/catch.hpp>
#include <numeric>

#include "media/resample.h"
#include "tests/media/sounds.h"
#include "tests/support/fixtures.h"

using namespace vllama;

namespace {

// Taps are rounded to single precision (6e-8 relative) and up to 300 products of up to 1 x 0.3 are
// summed in single precision; torchaudio in double precision is the reference.
constexpr double kResampleTolerance = 1e-6;

}  // namespace

TEST_CASE("noise of many rates becomes what torchaudio makes of it") {
  const auto reference = test::read_json(test::golden_file("audio/mel_fbank.json"));
  for (const auto& expected : reference["resample"]) {
    const std::int64_t num_samples = expected["num_samples"], rate = expected["rate"];
    INFO(num_samples << " samples at " << rate << " Hz");
    const auto input = test::make_sound(expected["signal"], num_samples, rate);
    const media::SincResampler resampler(rate, 16000);
    const auto output = resampler(input);
    const auto& exact = expected["exact"];
    REQUIRE(static_cast<std::int64_t>(output.size()) == exact["size"][0]);
    CHECK(resampler.output_length(num_samples) == exact["size"][0]);
    CHECK(test::largest_difference(output, exact) < kResampleTolerance);
    const double sum = std::accumulate(output.begin(), output.end(), 0.0);
    const double squares = std::inner_product(output.begin(), output.end(), output.begin(), 0.0);
    CHECK(sum == Approx(exact["sum"].get<double>()).margin(1e-5 * std::sqrt(output.size())));
    CHECK(squares == Approx(exact["sum_of_squares"].get<double>()).epsilon(1e-5));
  }
}

TEST_CASE("a 440 Hz tone at 44.1 kHz keeps its values") {
  const auto output = media::SincResampler(44100, 16000)(test::make_sound("tone", 132300, 44100));
  REQUIRE(output.size() == 48000);
  CHECK(output[0] == Approx(0.008124).margin(2e-6));
  CHECK(output[1] == Approx(0.084856).margin(2e-6));
  CHECK(output[10] == Approx(0.493954).margin(2e-6));
}

TEST_CASE("every channel is resampled and the rate recorded") {
  media::Waveform stereo{8000, {{1, 0, 0, 0}, {0, 0, 0, 1}}, 0};
  const auto result = media::resample(stereo, 16000);
  CHECK(result.sample_rate_hz == 16000);
  REQUIRE(result.channels.size() == 2);
  CHECK(result.num_samples() == 8);
  CHECK(result.channels[0][0] > 0.9f);
  CHECK(result.channels[1][6] > 0.9f);
}

TEST_CASE("a rate that is right already, or no sample, changes nothing") {
  const media::Waveform sound{16000, {{0.25f, -0.5f}}, 0};
  CHECK(media::resample(sound, 16000).channels == sound.channels);
  CHECK(media::resample({44100, {}, 0}, 16000).num_samples() == 0);
  CHECK(media::SincResampler(44100, 16000)({}).empty());
}

TEST_CASE("rates at the ends of what is decoded stay inside their buffers") {
  for (const std::int64_t rate : {1000, 1001, 767999, 768000}) {
    const auto output = media::SincResampler(rate, 16000)(std::vector<float>(3 * rate / 100, 1.0f));
    REQUIRE(output.size() >= 480);
    CHECK(output[240] == Approx(1).margin(0.01));
  }
}
