#include "toy_world/files/world_plan.h"

#include <fmt/format.h>

#include <set>

#include "core/error.h"

namespace vllama::toy {
namespace {

constexpr auto kPurpose = static_cast<std::uint64_t>(RandomPurpose::toy_world);

SceneRules rules_of(Split split) {
  SceneRules rules;
  if (split == Split::test_unseen) rules.pairs = Pairs::first_held_out;
  if (split == Split::long_clips) rules.form_weights = {1, 0, 1};
  if (split == Split::movers) {
    rules.form_weights = {1, 0, 0};
    rules.max_shapes = 1;
  }
  if (split == Split::one_sounds) {
    rules.form_weights = {1, 1, 0};
    rules.min_shapes = 3;
  }
  return rules;
}

bool have_different_colours(const Scene& scene) {
  std::set<Colour> colours;
  for (const Shape& shape : scene.shapes) colours.insert(shape.colour);
  return colours.size() == scene.shapes.size();
}

Scene draw_one_sounding(RandomStream& random) {
  while (true) {
    Scene scene = draw_scene(random, rules_of(Split::one_sounds));
    if (!have_different_colours(scene)) continue;
    leave_one_sound(scene, random);
    return scene;
  }
}

}  // namespace

RandomStream texts_of(std::uint64_t seed, Split split, std::int64_t index, Use use) {
  return RandomStream(
      random_key({seed, kPurpose, static_cast<std::uint64_t>(split),
                  static_cast<std::uint64_t>(index), static_cast<std::uint64_t>(use)}));
}

Scene scene_of(std::uint64_t seed, Split split, std::int64_t index) {
  RandomStream random(random_key(
      {seed, kPurpose, static_cast<std::uint64_t>(split), static_cast<std::uint64_t>(index)}));
  return split == Split::one_sounds ? draw_one_sounding(random)
                                    : draw_scene(random, rules_of(split));
}

Still still_of(std::uint64_t seed, std::int64_t index) {
  RandomStream random = texts_of(seed, Split::train_images, index, Use::picture_time);
  Still still{scene_of(seed, Split::train_images, index), 0};
  do {
    still.time = random.uniform();
  } while (still.scene.visible(still.time).empty());
  return still;
}

std::string folder_of(Split split) {
  switch (split) {
    case Split::train_videos:
    case Split::train_images:
    case Split::train_sounds:
      return "train";
    case Split::test_seen:
      return "test_seen";
    case Split::test_unseen:
      return "test_unseen";
    case Split::test_sounds:
      return "test";
    case Split::movers:
      return "movers";
    case Split::one_sounds:
      return "one_sounds";
    case Split::long_clips:
      break;  // one folder for each length
  }
  VLLAMA_ASSERT(false, "a split with one folder");
}

std::string clip_name(Split split, std::int64_t index) {
  return fmt::format("{}_{:06}", folder_of(split), index);
}

std::string long_folder(int seconds) {
  return fmt::format("long_{}s", seconds);
}

std::string long_clip_name(int seconds, std::int64_t index) {
  return fmt::format("{}_{:06}", long_folder(seconds), index);
}

std::string image_name(std::int64_t index) {
  return fmt::format("{:09}", index);
}

}  // namespace vllama::toy
