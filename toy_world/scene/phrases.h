// What can be said of a scene: descriptions, and questions with their answers. All texts are lower
// case; captions have no full stop, answers have one.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "toy_world/scene/scene.h"

namespace vllama::toy {

// "a small red circle moves left slowly while a large bar stays still on a dotted field": what a
// clip shows; one of a few forms.
std::string caption(const Scene& scene, RandomStream& random);

// "a small red circle at the top left and a large bar at the middle on a dotted field": what the
// picture at `time` shows, from left to right.
std::string picture_caption(const Scene& scene, double time, RandomStream& random);

// "small red circle moves left slowly; dotted; one": the facts of a clip, in any order.
std::string keywords(const Scene& scene, RandomStream& random);

// "a small red circle" of every shape.
std::vector<std::string> nouns(const Scene& scene);

// "x", "x and y", "x, y and z"
std::string joined(const std::vector<std::string>& parts);

// "a bell is heard first, a drum is heard last": the sounds of a clip.
std::string heard(const Scene& scene);

// "describe the video." and the like.
std::string request_of_description(RandomStream& random);

struct QuestionAnswer {
  std::string type;      // one of the types below
  std::string question;  // "which shape is red?"
  std::string answer;    // "the red shape is a circle."
  std::string word;      // of the answer that decides: "circle"
};

// Types that can be answered from pictures, those that need to hear or know the sounds, and those
// that need to see and to hear.
inline constexpr std::string_view kVisualTypes[] = {"colour",    "kind",    "size",  "count",
                                                    "direction", "speed",   "mover", "field",
                                                    "order",     "present", "bound"};
inline constexpr std::string_view kAudibleTypes[] = {"makes", "sound",       "source",
                                                     "heard", "sound_order", "source_order"};
inline constexpr std::string_view kJointTypes[] = {"heard_colour"};

// All words that can decide an answer of the type; two or more. `type` must be one of the above.
std::span<const std::string_view> options(std::string_view type);

// A question of the type about the clip, or none if the type has no sense for it (order of shapes
// that are there all the time, the sound of a clip in which two sound). The size of a shape is
// asked for only where it is alone: no language model of this size has learned to look it up among
// several.
std::optional<QuestionAnswer> ask(const Scene& scene, std::string_view type, RandomStream& random);

}  // namespace vllama::toy
