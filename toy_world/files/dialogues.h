// Dialogues and questions about scenes, fit for what recipes train on.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "toy_world/scene/phrases.h"

namespace vllama::toy {

// Whether a text names a kind together with the colour that is held out for it ("blue circle").
bool names_held_out_pair(std::string_view text);

// As ask(), but never names a held-out pair, not even to deny it; a question that would is replaced
// by another with the same deciding word, so that yes and no stay balanced. The scene must not show
// such a pair.
std::optional<QuestionAnswer> ask_within_recipe(const Scene& scene, std::string_view type,
                                                RandomStream& random);

struct DialogueTurn {
  std::string type;  // of question; empty for requests for a description
  std::string question, answer;
};

// Two to four turns about a clip, of different types that are drawn evenly from the visual ones
// that apply to it. A quarter of all turns are requests for a description.
std::vector<DialogueTurn> dialogue_about_clip(const Scene& scene, RandomStream& random);

// The same for a picture that shows all shapes of `scene` at `time`: nothing about time.
std::vector<DialogueTurn> dialogue_about_picture(const Scene& scene, double time,
                                                 RandomStream& random);

// The same turns, but questions that are answered with no become others of their type that are
// answered with yes.
std::vector<DialogueTurn> with_yes_alone(std::vector<DialogueTurn> turns, const Scene& scene,
                                         RandomStream& random);

// Every question whose answer needs the order of pictures: which shape moves, and how, or which
// appears first or last. Empty where nothing moves or appears.
std::vector<DialogueTurn> dialogue_about_time(const Scene& scene, RandomStream& random);

// Every question about what is heard that applies.
std::vector<DialogueTurn> dialogue_about_sound(const Scene& scene, RandomStream& random);

}  // namespace vllama::toy
