#include "toy_world/scene/sound.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/error.h"
#include "toy_world/scene/noise.h"

namespace vllama::toy {
namespace {

constexpr float kSoundNoise = 0.01F;  // deviation of what is heard in silence
constexpr float kLoudness = 0.32F;    // of one shape at full gain, so that three stay below 1
// Parts of a scene's noise_key beside the numbers of its pictures.
constexpr std::uint64_t kOffsetKey = 0x6f666673657473, kHissKey = 0x68697373, kDrumKey = 0x6472756d;

// Every sound repeats after a second, which is what is computed of it.
constexpr std::size_t kLoop = kSoundRate;
using Loop = std::vector<float>;

float wave(float cycles) {
  return std::sin(2 * std::numbers::pi_v<float> * (cycles - std::floor(cycles)));
}

// Seconds since the last beat of a rhythm with `period`.
float since_beat(std::size_t sample, float period) {
  return std::fmod(static_cast<float>(sample) / kSoundRate, period);
}

template <class Function>
Loop looped(const Function& value_at) {
  Loop loop(kLoop);
  for (std::size_t i = 0; i < kLoop; ++i) loop[i] = value_at(i);
  return loop;
}

Loop bell(float pitch) {
  return looped([&](std::size_t i) {
    const float u = since_beat(i, 0.5F), frequency = 700 * pitch;
    return 0.5F * (std::exp(-5 * u) * wave(frequency * u) +
                   0.6F * std::exp(-8 * u) * wave(2.76F * frequency * u) +
                   0.4F * std::exp(-12 * u) * wave(5.4F * frequency * u));
  });
}

Loop drum(float pitch) {
  Loop crack(kLoop);
  add_noise(crack, 1.0F / 3, kDrumKey);
  return looped([&](std::size_t i) {
    const float u = since_beat(i, 1.0F / 3);
    return 0.5F * (std::exp(-14 * u) * wave(90 * pitch * u) + std::exp(-40 * u) * crack[i]);
  });
}

// Tones without a beat are rounded to whole cycles a second, so that the loop closes.
Loop whistle(float pitch) {
  const float frequency = std::round(1800 * pitch);
  return looped([&](std::size_t i) {
    const float t = static_cast<float>(i) / kSoundRate;
    return wave(frequency * t + 6 * wave(6 * t) / (2 * std::numbers::pi_v<float>));
  });
}

Loop buzz(float pitch) {
  const float frequency = std::round(150 * pitch);
  return looped([&](std::size_t i) {
    const float t = static_cast<float>(i) / kSoundRate;
    const float cycles = frequency * t;
    return (2 * (cycles - std::floor(cycles)) - 1) * (0.5F + 0.5F * wave(25 * t));
  });
}

Loop chirp(float pitch) {
  return looped([&](std::size_t i) {
    const float u = since_beat(i, 0.25F);
    return u < 0.16F ? wave(1500 * pitch * u + 6000 * u * u) : 0.0F;
  });
}

Loop horn(float pitch) {
  constexpr float kPeak = 2;  // of the four harmonics together
  return looped([&](std::size_t i) {
    const float u = since_beat(i, 1);
    if (u >= 0.7F) return 0.0F;
    float sum = 0;
    for (float harmonic = 1; harmonic <= 4; ++harmonic)
      sum += wave(300 * pitch * harmonic * u) / harmonic;
    return sum / kPeak;
  });
}

Loop loop_of(const Shape& shape) {
  const auto pitch = static_cast<float>(std::exp2(shape.semitones / 12));
  switch (shape.kind) {
    case Kind::circle:
      return bell(pitch);
    case Kind::square:
      return drum(pitch);
    case Kind::triangle:
      return whistle(pitch);
    case Kind::cross:
      return buzz(pitch);
    case Kind::ring:
      return chirp(pitch);
    case Kind::bar:
      return horn(pitch);
  }
  VLLAMA_ASSERT(false, "a kind of shape");
}

std::size_t sample_at(double seconds) {
  return static_cast<std::size_t>(std::llround(seconds * kSoundRate));
}

}  // namespace

std::vector<float> play(const Scene& scene, double begin, double end, double clip_seconds) {
  VLLAMA_ASSERT(0 <= begin && begin <= end && end <= clip_seconds, "a part of the clip");
  const std::size_t first = sample_at(begin), last = sample_at(end);
  std::vector<float> sound(last - first);
  for (std::size_t i = 0; i < scene.shapes.size(); ++i) {
    const Shape& shape = scene.shapes[i];
    const Loop loop = loop_of(shape);
    const std::size_t offset = random_key({scene.noise_key, kOffsetKey, i}) % kLoop;
    const float loudness = kLoudness * static_cast<float>(shape.gain);
    const std::size_t from = std::max(first, sample_at(shape.appears * clip_seconds));
    const std::size_t to = std::min(last, sample_at(shape.vanishes * clip_seconds));
    for (std::size_t sample = from; sample < to; ++sample)
      sound[sample - first] += loudness * loop[(sample + offset) % kLoop];
  }
  add_noise(sound, kSoundNoise, random_key({scene.noise_key, kHissKey}), first);
  for (float& sample : sound) sample = std::clamp(sample, -1.0F, 1.0F);
  return sound;
}

}  // namespace vllama::toy
