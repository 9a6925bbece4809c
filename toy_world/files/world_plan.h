// What the files of a world show: every scene is a function of the seed, the split and a number.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "toy_world/scene/scene.h"

namespace vllama::toy {

// Parts of a world; their numbers are parts of random keys. `test_unseen` alone shows the pairs of
// kind and colour that are held out of the others.
enum class Split : std::uint64_t {
  train_videos = 1,
  train_images = 2,
  test_seen = 3,
  test_unseen = 4,
  train_sounds = 5,
  test_sounds = 6,
  movers = 7,      // single shapes that move
  long_clips = 8,  // shapes that move or take turns, the same scenes for every length
  one_sounds = 9,  // three shapes of different colours, of which one sounds
};

// What random texts are for, so that no two annotation files share numbers.
enum class Use : std::uint64_t {
  picture_time = 1,
  caption = 2,
  dialogue = 3,
  only_yes = 4,
  questions = 5,
  hearing = 6,
  probes = 7,
  detailed_caption = 8,
  joint = 9,
  time = 10,
};

inline constexpr std::array<int, 4> kLongSeconds{8, 16, 32, 64};

RandomStream texts_of(std::uint64_t seed, Split split, std::int64_t index, Use use);

Scene scene_of(std::uint64_t seed, Split split, std::int64_t index);

// A picture of a scene at a random time at which something is to be seen.
struct Still {
  Scene scene;
  double time;
};

Still still_of(std::uint64_t seed, std::int64_t index);

// "train_000017": names of clips and sounds, without an extension.
std::string clip_name(Split split, std::int64_t index);
std::string long_clip_name(int seconds, std::int64_t index);
// "000000017": names of pictures.
std::string image_name(std::int64_t index);
// The folder of a split below videos/, images/ or sounds/.
std::string folder_of(Split split);
std::string long_folder(int seconds);  // "long_16s"

}  // namespace vllama::toy
