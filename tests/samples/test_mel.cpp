// The filter bank against torchaudio's Kaldi functions.
#include <catch2/catch.hpp>
#include <cmath>
#include <numeric>

#include "media/fourier.h"
#include "samples/mel.h"
#include "tests/media/sounds.h"
#include "tests/support/fixtures.h"

using namespace vllama;

namespace {

// The reference computes in double precision, except for its window, which single precision rounds
// (6e-8 relative), and mel edges; what counts is the log of energies near the floor.
constexpr double kFilterTolerance = 1e-4;

}  // namespace

TEST_CASE("a real transform is the discrete Fourier transform") {
  media::RealTransform transform(16);
  std::vector<double> signal(16);
  for (int i = 0; i < 16; ++i) signal[i] = transform.input()[i] = std::sin(0.7 * i * i) + 0.3;
  const auto spectrum = transform.run();
  REQUIRE(spectrum.size() == 9);
  for (int k = 0; k <= 8; ++k) {
    std::complex<double> expected = 0;
    for (int i = 0; i < 16; ++i) expected += signal[i] * std::polar(1.0, -2 * M_PI * k * i / 16);
    CHECK(std::abs(spectrum[k] - expected) < 1e-12);
  }
}

TEST_CASE("log mel energies are what torchaudio computes") {
  const auto reference = test::read_json(test::golden_file("audio/mel_fbank.json"));
  samples::MelFilterBank filter_bank;
  for (const auto& expected : reference["mel"]) {
    const std::int64_t num_samples = expected["num_samples"];
    INFO(num_samples << " samples of " << expected["signal"]);
    const auto output = filter_bank(test::make_sound(expected["signal"], num_samples, 16000));
    const auto& exact = expected["exact"];
    CHECK(samples::num_mel_frames(num_samples) == exact["size"][0]);
    REQUIRE(static_cast<std::int64_t>(output.size()) == exact["size"][0].get<int>() * 128);
    CHECK(test::largest_difference(output, exact) < kFilterTolerance);
    CHECK(std::accumulate(output.begin(), output.end(), 0.0) / output.size() ==
          Approx(exact["sum"].get<double>() / output.size()).margin(kFilterTolerance / 10));
  }
}

TEST_CASE("only whole frames count") {
  CHECK(samples::num_mel_frames(0) == 0);
  CHECK(samples::num_mel_frames(399) == 0);
  CHECK(samples::num_mel_frames(400) == 1);
  CHECK(samples::num_mel_frames(559) == 1);
  CHECK(samples::num_mel_frames(560) == 2);
  CHECK(samples::num_mel_frames(32000) == 198);
  CHECK(samples::MelFilterBank()(std::vector<float>(399)).empty());
}
