// Questions and answers about scenes agree with the scenes.
#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <set>

#include "toy_world/files/dialogues.h"
#include "toy_world/files/world_plan.h"

using namespace vllama;
using namespace vllama::toy;
using Catch::Contains;

namespace {

std::vector<std::string_view> all_types() {
  std::vector<std::string_view> types(std::begin(kVisualTypes), std::end(kVisualTypes));
  types.insert(types.end(), std::begin(kAudibleTypes), std::end(kAudibleTypes));
  return types;
}

const Shape* shape_named(const Scene& scene, const std::string& text) {
  for (const Shape& shape : scene.shapes)
    if (text.find(word(shape.kind)) != std::string::npos) return &shape;
  return nullptr;
}

// The deciding word by looking at the scene, from the words of the question alone.
std::string_view right_word(const Scene& scene, const QuestionAnswer& asked) {
  const Shape* named = shape_named(scene, asked.question);
  if (asked.type == "colour") return word(named->colour);
  if (asked.type == "size") return size_word(named->is_large);
  if (asked.type == "present") return named != nullptr ? "yes" : "no";
  if (asked.type == "bound")
    return asked.question.find(word(named->colour)) != std::string::npos ? "yes" : "no";
  if (asked.type == "direction") return word(named->motion->direction);
  if (asked.type == "speed") return speed_word(named->motion->is_quick);
  if (asked.type == "count") return number_word(scene.shapes.size());
  if (asked.type == "field") return word(scene.background.field);
  if (asked.type == "mover") return word(scene.shapes[0].kind);
  if (asked.type == "order" || asked.type == "source_order")
    return word(scene.shapes[asked.question.find("first") == std::string::npos ? 1 : 0].kind);
  if (asked.type == "kind") {
    const auto found = std::ranges::find_if(scene.shapes, [&](const Shape& shape) {
      return asked.question.find(word(shape.colour)) != std::string::npos;
    });
    return word(found->kind);
  }
  return asked.word;  // of sounds, checked by the words that belong together
}

}  // namespace

TEST_CASE("phrases: every answer is right, contains its word, and the options contain it") {
  RandomStream random(3);
  std::map<std::string_view, int> num_asked;
  for (std::int64_t i = 0; i < 3000; ++i) {
    const Scene scene = scene_of(1, Split::test_unseen, i);
    for (const std::string_view type : all_types()) {
      const auto asked = ask(scene, type, random);
      if (!asked) continue;
      ++num_asked[type];
      CAPTURE(asked->question, asked->answer);
      REQUIRE(asked->type == type);
      REQUIRE(asked->question.ends_with("?"));
      REQUIRE(asked->answer.ends_with("."));
      REQUIRE_THAT(asked->answer, Contains(asked->word));
      REQUIRE(std::ranges::count(options(type), asked->word) == 1);
      REQUIRE(asked->word == right_word(scene, *asked));
    }
  }
  for (const std::string_view type : all_types()) CHECK(num_asked[type] > 300);
}

TEST_CASE("phrases: of shapes of which one sounds it is asked which, and its colour") {
  RandomStream random(5);
  for (std::int64_t i = 0; i < 300; ++i) {
    Scene scene = scene_of(1, Split::test_seen, i);
    const bool is_single = scene.shapes.size() == 1;
    CHECK(ask(scene, "source", random).has_value() == is_single);
    CHECK_FALSE(ask(scene, "heard_colour", random));
    const Shape& sounding = leave_one_sound(scene, random);
    CHECK(ask(scene, "source", random)->word == word(sounding.kind));
    CHECK(ask(scene, "sound", random)->word == sound_word(sounding.kind));
    const auto asked = ask(scene, "heard_colour", random);
    REQUIRE(asked.has_value() == !is_single);
    if (!asked) continue;
    CHECK(asked->word == word(sounding.colour));
    CHECK_THAT(asked->answer, Contains(std::string(word(sounding.kind))));
    CHECK(std::ranges::count(options("heard_colour"), asked->word) == 1);
  }
}

TEST_CASE("phrases: recipes never speak of a held-out pair, and deny as often as they affirm") {
  CHECK(names_held_out_pair("is there a blue circle?"));
  CHECK(names_held_out_pair("a large yellow bar moves left"));
  CHECK_FALSE(names_held_out_pair("is there a red circle and a blue square?"));
  RandomStream random(3);
  std::set<std::string> questions;
  for (std::int64_t i = 0; i < 3000; ++i) {
    const Scene scene = scene_of(1, Split::train_videos, i);
    const auto asked = ask_within_recipe(scene, "bound", random);
    REQUIRE_FALSE(names_held_out_pair(asked->question));
    questions.insert(asked->question);
  }
  CHECK(questions.size() == 30);  // 36 pairs but for the six
}

TEST_CASE("phrases: dialogues ask different things, a quarter of all for descriptions") {
  constexpr int kNumDialogues = 8000;
  RandomStream random(4);
  std::map<std::string, double> num_of_type;
  double num_turns = 0;
  for (std::int64_t i = 0; i < kNumDialogues; ++i) {
    const auto turns = dialogue_about_clip(scene_of(1, Split::train_videos, i), random);
    REQUIRE(turns.size() >= 2);
    REQUIRE(turns.size() <= 4);
    std::set<std::string> types;
    for (const DialogueTurn& turn : turns) {
      types.insert(turn.type);
      ++num_of_type[turn.type];
      ++num_turns;
      REQUIRE(turn.answer.ends_with("."));
    }
    REQUIRE(types.size() == turns.size());
  }
  CHECK(num_of_type[""] / num_turns == Approx(0.25).margin(0.01));
  const double num_colour = num_of_type["colour"];  // one of those that always apply
  for (const char* type : {"count", "field", "present", "bound"})
    CHECK(num_of_type[type] == Approx(num_colour).epsilon(0.1));
  for (const char* type : {"size", "direction", "speed", "order", "mover"})
    CHECK(num_of_type[type] > 400);
}

TEST_CASE("phrases: dialogues about pictures speak of what is visible, never of time") {
  for (std::int64_t i = 0; i < 2000; ++i) {
    const Still still = still_of(1, i);
    const Scene shown = still.scene.moment(still.time);
    REQUIRE_FALSE(shown.shapes.empty());
    REQUIRE(shown.shapes.size() == still.scene.visible(still.time).size());
    RandomStream random(static_cast<std::uint64_t>(i));
    for (const DialogueTurn& turn : dialogue_about_picture(shown, still.time, random)) {
      const std::string text = turn.question + " " + turn.answer;
      for (const char* of_time : {"move", "appear", "first", "last", "slowly", "quickly", "video"})
        REQUIRE(text.find(of_time) == std::string::npos);
      if (turn.type == "count")
        REQUIRE_THAT(turn.answer, Contains(std::string(number_word(shown.shapes.size()))));
    }
  }
}

TEST_CASE("phrases: dialogues without denials keep all other turns") {
  RandomStream random(4), other(5);
  int num_replaced = 0;
  for (std::int64_t i = 0; i < 2000; ++i) {
    const Scene scene = scene_of(1, Split::train_videos, i);
    const auto before = dialogue_about_clip(scene, random);
    const auto after = with_yes_alone(before, scene, other);
    REQUIRE(after.size() == before.size());
    for (std::size_t turn = 0; turn < before.size(); ++turn) {
      REQUIRE(after[turn].type == before[turn].type);
      if (before[turn].answer == "no.") {
        ++num_replaced;
        REQUIRE(after[turn].answer == "yes.");
      } else {
        REQUIRE(after[turn].question == before[turn].question);
        REQUIRE(after[turn].answer == before[turn].answer);
      }
    }
  }
  CHECK(num_replaced > 300);
}
