// What scenes sound like.
#include <catch2/catch.hpp>
#include <cmath>

#include "media/fourier.h"
#include "toy_world/scene/sound.h"

using namespace vllama;
using namespace vllama::toy;

namespace {

constexpr double kNoise = 0.01;

Shape sounding(Kind kind, double appears = 0, double vanishes = 1) {
  Shape shape{};
  shape.kind = kind;
  shape.radius = 5;
  shape.appears = appears;
  shape.vanishes = vanishes;
  shape.gain = 1;
  return shape;
}

Scene sounds_of(const std::vector<Shape>& shapes) {
  return {Form::still, shapes, {}, 7};
}

double rms(const std::vector<float>& samples, std::size_t begin, std::size_t end) {
  double sum = 0;
  for (std::size_t i = begin; i < end; ++i) sum += samples[i] * samples[i];
  return std::sqrt(sum / static_cast<double>(end - begin));
}

// The loudest frequency in two seconds of sound.
double peak_hz(const std::vector<float>& samples) {
  constexpr int kLength = 32768;
  media::RealTransform transform(kLength);
  const auto input = transform.input();
  for (std::size_t i = 0; i < input.size(); ++i) input[i] = samples[i];
  const auto spectrum = transform.run();
  std::size_t best = 1;
  for (std::size_t i = 1; i < spectrum.size(); ++i)
    if (std::abs(spectrum[i]) > std::abs(spectrum[best])) best = i;
  return static_cast<double>(best) * kSoundRate / kLength;
}

}  // namespace

TEST_CASE("sound: a shape sounds while it is visible, and is silent up to noise otherwise") {
  for (int kind = 0; kind < kNumKinds; ++kind) {
    CAPTURE(kind);
    const auto sound = play(sounds_of({sounding(static_cast<Kind>(kind), 0.25, 0.75)}));
    REQUIRE(sound.size() == 128000);
    CHECK(rms(sound, 0, 32000) == Approx(kNoise).epsilon(0.05));
    CHECK(rms(sound, 96000, 128000) == Approx(kNoise).epsilon(0.05));
    CHECK(rms(sound, 32000, 96000) > 4 * kNoise);
  }
}

TEST_CASE("sound: pitches of the kinds") {
  const auto peak = [](Kind kind, double semitones) {
    Shape shape = sounding(kind);
    shape.semitones = semitones;
    return peak_hz(play(sounds_of({shape})));
  };
  CHECK(peak(Kind::circle, 0) == Approx(700).margin(5));
  CHECK(peak(Kind::circle, 1) == Approx(700 * std::exp2(1.0 / 12)).margin(5));
  CHECK(peak(Kind::square, 0) == Approx(90).margin(5));
  CHECK(peak(Kind::bar, 0) == Approx(300).margin(5));
  CHECK(peak(Kind::cross, 0) == Approx(150).margin(26));  // and 25 Hz beside it, by the tremolo
  CHECK(peak(Kind::triangle, 0) == Approx(1800).margin(40));
  CHECK(peak(Kind::ring, 0) > 1400);
}

TEST_CASE("sound: a part is that part of the whole") {
  const Scene scene = sounds_of({sounding(Kind::bar, 0, 0.6), sounding(Kind::ring, 0.2, 1)});
  const auto whole = play(scene), part = play(scene, 2.3, 5.75);
  REQUIRE(part.size() == 55200);
  CHECK(std::equal(part.begin(), part.end(), whole.begin() + 36800));
  CHECK(play(scene, 1, 1).empty());
}

TEST_CASE("sound: times are shares of the clip, however long it is") {
  const Scene scene = sounds_of({sounding(Kind::triangle, 0.5, 1)});
  const auto sound = play(scene, 0, 16, 16);
  REQUIRE(sound.size() == 256000);
  CHECK(rms(sound, 0, 128000) == Approx(kNoise).epsilon(0.05));
  CHECK(rms(sound, 128000, 256000) > 10 * kNoise);
}

TEST_CASE("sound: three shapes at full gain stay within -1 to 1") {
  for (int first = 0; first < kNumKinds; ++first) {
    std::vector<Shape> shapes;
    for (int i = 0; i < 3; ++i)
      shapes.push_back(sounding(static_cast<Kind>((first + i) % kNumKinds)));
    for (const float sample : play(sounds_of(shapes), 0, 2)) REQUIRE(std::abs(sample) < 1);
  }
}
