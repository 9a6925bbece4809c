#include "toy_world/files/dialogues.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <span>

#include "core/error.h"
#include "toy_world/scene/choice.h"

namespace vllama::toy {
namespace {

// Of kVisualTypes those that a single picture answers.
constexpr std::string_view kPictureTypes[] = {"colour", "kind",    "size", "count",
                                              "field",  "present", "bound"};
constexpr std::string_view kTimeTypes[] = {"direction", "speed", "mover", "order"};
constexpr std::string_view kHeardTypes[] = {"sound", "source", "heard", "sound_order",
                                            "source_order"};
constexpr std::size_t kLeastTurns = 2, kMostTurns = 4;

DialogueTurn turn_of(const QuestionAnswer& asked) {
  return {asked.type, asked.question, asked.answer};
}

// `describe` makes the one turn that asks for a description. It is there with a probability of a
// quarter of the number of turns.
std::vector<DialogueTurn> dialogue(const Scene& scene, std::span<const std::string_view> types,
                                   const std::function<DialogueTurn()>& describe,
                                   RandomStream& random) {
  const std::size_t num_turns = kLeastTurns + random.below(kMostTurns - kLeastTurns + 1);
  std::vector<DialogueTurn> turns;
  if (random.below(kMostTurns) < num_turns) turns.push_back(describe());
  std::vector<std::string_view> order(types.begin(), types.end());
  shuffle(random, order);
  for (const std::string_view type : order) {
    if (turns.size() == num_turns) break;
    if (const auto asked = ask_within_recipe(scene, type, random)) turns.push_back(turn_of(*asked));
  }
  VLLAMA_ASSERT(turns.size() == num_turns, "enough questions apply to every scene");
  shuffle(random, turns);
  return turns;
}

std::vector<DialogueTurn> all_that_apply(const Scene& scene,
                                         std::span<const std::string_view> types,
                                         RandomStream& random) {
  std::vector<DialogueTurn> turns;
  for (const std::string_view type : types)
    if (const auto asked = ask_within_recipe(scene, type, random)) turns.push_back(turn_of(*asked));
  shuffle(random, turns);
  return turns;
}

}  // namespace

bool names_held_out_pair(std::string_view text) {
  for (int kind = 0; kind < kNumKinds; ++kind)
    for (int colour = 0; colour < kNumColours; ++colour)
      if (is_held_out(static_cast<Kind>(kind), static_cast<Colour>(colour)) &&
          text.find(fmt::format("{} {}", word(static_cast<Colour>(colour)),
                                word(static_cast<Kind>(kind)))) != std::string_view::npos)
        return true;
  return false;
}

std::optional<QuestionAnswer> ask_within_recipe(const Scene& scene, std::string_view type,
                                                RandomStream& random) {
  auto asked = ask(scene, type, random);
  if (!asked) return asked;
  const std::string decided = asked->word;
  while (names_held_out_pair(asked->question) || asked->word != decided)
    asked = ask(scene, type, random);
  return asked;
}

std::vector<DialogueTurn> dialogue_about_clip(const Scene& scene, RandomStream& random) {
  const auto describe = [&]() -> DialogueTurn {
    const std::string request = request_of_description(random);
    return {"", request, caption(scene, random) + "."};
  };
  return dialogue(scene, kVisualTypes, describe, random);
}

std::vector<DialogueTurn> dialogue_about_picture(const Scene& scene, double time,
                                                 RandomStream& random) {
  const auto describe = [&]() -> DialogueTurn {
    return {"", "describe this.", picture_caption(scene, time, random) + "."};
  };
  return dialogue(scene, kPictureTypes, describe, random);
}

std::vector<DialogueTurn> with_yes_alone(std::vector<DialogueTurn> turns, const Scene& scene,
                                         RandomStream& random) {
  for (DialogueTurn& turn : turns)
    while (turn.answer == "no.") turn = turn_of(*ask_within_recipe(scene, turn.type, random));
  return turns;
}

std::vector<DialogueTurn> dialogue_about_time(const Scene& scene, RandomStream& random) {
  return all_that_apply(scene, kTimeTypes, random);
}

std::vector<DialogueTurn> dialogue_about_sound(const Scene& scene, RandomStream& random) {
  return all_that_apply(scene, kHeardTypes, random);
}

}  // namespace vllama::toy
