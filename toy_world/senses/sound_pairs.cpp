#include "toy_world/senses/sound_pairs.h"

#include <ATen/ops/cat.h>

#include <algorithm>

#include "samples/audio_clips.h"
#include "toy_world/scene/sound.h"
#include "toy_world/senses/clip_file.h"
#include "toy_world/senses/starts.h"

namespace vllama::toy {
namespace {

constexpr double kSoundSeconds = 2;
constexpr std::int64_t kPairsInBlock = 50;  // whose sounds are alike in what they went through

std::string kinds_seen(const Picture& picture) {
  std::vector<std::string> words;
  for (const Shape* shape : picture.scene.visible(picture.time))
    words.emplace_back(word(shape->kind));
  std::ranges::sort(words);
  std::string text;
  for (const std::string& kind : words) text += kind + " ";
  return text;
}

std::vector<float> play_around(const Picture& picture) {
  const double begin = std::clamp(picture.time * kClipSeconds - kSoundSeconds / 2, 0.0,
                                  kClipSeconds - kSoundSeconds);
  return play(picture.scene, begin, begin + kSoundSeconds);
}

}  // namespace

at::Tensor sounds_around(std::span<const Picture> pictures, Carrier carrier) {
  std::vector<std::vector<float>> sounds;
  for (const Picture& picture : pictures) sounds.push_back(play_around(picture));
  if (carrier == Carrier::clip) sounds = sounds_through_clip(sounds);
  std::vector<at::Tensor> clips;
  for (std::vector<float>& sound : sounds)
    clips.push_back(*samples::audio_clips(
        {.sample_rate_hz = kSoundRate, .channels = {std::move(sound)}}, {.num_clips = 1}));
  return at::cat(clips);
}

SoundPairs draw_sound_pairs(std::int64_t count, std::uint64_t seed) {
  SoundPairs pairs;
  for (std::int64_t i = 0; i < count; ++i) {
    RandomStream random(stream_key(seed, Stream::sound_pairs, i));
    pairs.pictures.push_back(draw_picture(random));
    pairs.contents.push_back(kinds_seen(pairs.pictures.back()));
  }
  std::vector<at::Tensor> sounds;
  for (std::int64_t i = 0; i < count; i += kPairsInBlock) {
    const auto block = std::span(pairs.pictures)
                           .subspan(static_cast<std::size_t>(i),
                                    static_cast<std::size_t>(std::min(kPairsInBlock, count - i)));
    const Carrier carrier = i / kPairsInBlock % 2 == 0 ? Carrier::none : Carrier::clip;
    sounds.push_back(sounds_around(block, carrier).to(at::kHalf));
  }
  pairs.sounds_N1MT = at::cat(sounds);
  return pairs;
}

}  // namespace vllama::toy
