#include "toy_world/base/sound_pairs.h"

#include <ATen/ops/empty.h>

#include <algorithm>

#include "processors/audio_clips.h"
#include "processors/mel.h"
#include "toy_world/base/starts.h"
#include "toy_world/scene/sound.h"

namespace vllama::toy {
namespace {

constexpr double kSoundSeconds = 2;

std::string kinds_seen(const Picture& picture) {
  std::vector<std::string> words;
  for (const Shape* shape : picture.scene.visible(picture.time))
    words.emplace_back(word(shape->kind));
  std::ranges::sort(words);
  std::string text;
  for (const std::string& kind : words) text += kind + " ";
  return text;
}

}  // namespace

at::Tensor sound_around(const Scene& scene, double time) {
  const double begin =
      std::clamp(time * kClipSeconds - kSoundSeconds / 2, 0.0, kClipSeconds - kSoundSeconds);
  const auto clips = processors::audio_clips(
      {.sample_rate_hz = kSoundRate, .channels = {play(scene, begin, begin + kSoundSeconds)}},
      {.num_clips = 1});
  return clips->squeeze(0);
}

SoundPairs draw_sound_pairs(std::int64_t count, std::uint64_t seed) {
  SoundPairs pairs;
  pairs.sounds_N1MT =
      at::empty({count, 1, processors::kNumMelBins, processors::kAudioClipFrames}, at::kHalf);
  for (std::int64_t i = 0; i < count; ++i) {
    RandomStream random(stream_key(seed, Stream::sound_pairs, i));
    Picture picture = draw_picture(random);
    pairs.sounds_N1MT.select(0, i).copy_(sound_around(picture.scene, picture.time));
    pairs.contents.push_back(kinds_seen(picture));
    pairs.pictures.push_back(std::move(picture));
  }
  return pairs;
}

}  // namespace vllama::toy
