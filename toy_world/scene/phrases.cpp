#include "toy_world/scene/phrases.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>
#include <map>

#include "core/error.h"
#include "toy_world/scene/choice.h"

namespace vllama::toy {
namespace {

std::string noun(const Shape& shape) {
  return fmt::format("a {} {} {}", size_word(shape.is_large), word(shape.colour), word(shape.kind));
}

std::vector<std::string> nouns(const std::vector<Shape>& shapes, std::size_t first = 0) {
  std::vector<std::string> found;
  for (std::size_t i = first; i < shapes.size(); ++i) found.push_back(noun(shapes[i]));
  return found;
}

std::string field_text(const Scene& scene) {
  return fmt::format("on a {} field", word(scene.background.field));
}

std::string event(const Scene& scene, RandomStream& random) {
  const auto& shapes = scene.shapes;
  if (scene.form == Form::order)
    return fmt::format("{} appears first{} {} appears last", noun(shapes[0]),
                       random.below(2) == 0 ? "," : " and", noun(shapes[1]));
  if (scene.form == Form::still)
    return joined(nouns(shapes)) + (shapes.size() == 1 ? " stays still" : " stay still");
  std::string text =
      fmt::format("{} moves {} {}", noun(shapes[0]), word(shapes[0].motion->direction),
                  speed_word(shapes[0].motion->is_quick));
  if (shapes.size() > 1)
    text += fmt::format(" while {} {} still", joined(nouns(shapes, 1)),
                        shapes.size() == 2 ? "stays" : "stay");
  return text;
}

std::string behaviour(const Scene& scene, std::size_t shape) {
  if (scene.form == Form::order) return shape == 0 ? "first" : "last";
  const auto& motion = scene.shapes[shape].motion;
  return motion ? fmt::format("moves {} {}", word(motion->direction), speed_word(motion->is_quick))
                : "still";
}

std::string with_field(const Scene& scene, const std::string& text, RandomStream& random) {
  return random.below(4) == 0 ? fmt::format("{}, {}", field_text(scene), text)
                              : fmt::format("{} {}", text, field_text(scene));
}

using Asked = std::optional<QuestionAnswer>;

QuestionAnswer answered(std::string question, const std::string& answer, std::string_view decides) {
  return {"", std::move(question), answer, std::string(decides)};
}

const Shape& any_shape(const Scene& scene, RandomStream& random) {
  return one_of(random, scene.shapes);
}

bool has_kind(const Scene& scene, int kind) {
  return std::ranges::any_of(
      scene.shapes, [&](const Shape& shape) { return static_cast<int>(shape.kind) == kind; });
}

Asked ask_colour(const Scene& scene, RandomStream& random) {
  const Shape& shape = any_shape(scene, random);
  return answered(fmt::format("what colour is the {}?", word(shape.kind)),
                  fmt::format("the {} is {}.", word(shape.kind), word(shape.colour)),
                  word(shape.colour));
}

Asked ask_kind(const Scene& scene, RandomStream& random) {
  std::vector<const Shape*> unique;
  for (const Shape& shape : scene.shapes)
    if (std::ranges::count(scene.shapes, shape.colour, &Shape::colour) == 1)
      unique.push_back(&shape);
  if (unique.empty()) return {};
  const Shape& shape = *one_of(random, unique);
  return answered(fmt::format("which shape is {}?", word(shape.colour)),
                  fmt::format("the {} shape is a {}.", word(shape.colour), word(shape.kind)),
                  word(shape.kind));
}

Asked ask_size(const Scene& scene, RandomStream&) {
  if (scene.shapes.size() != 1) return {};
  const Shape& shape = scene.shapes[0];
  return answered(fmt::format("how big is the {}?", word(shape.kind)),
                  fmt::format("the {} is {}.", word(shape.kind), size_word(shape.is_large)),
                  size_word(shape.is_large));
}

Asked ask_count(const Scene& scene, RandomStream&) {
  const std::size_t number = scene.shapes.size();
  return answered("how many shapes are there?",
                  fmt::format("there {} {} shape{}.", number == 1 ? "is" : "are",
                              number_word(number), number == 1 ? "" : "s"),
                  number_word(number));
}

Asked ask_direction(const Scene& scene, RandomStream&) {
  if (scene.form != Form::move) return {};
  const Shape& mover = scene.shapes[0];
  return answered(fmt::format("which way does the {} move?", word(mover.kind)),
                  fmt::format("it moves {}.", word(mover.motion->direction)),
                  word(mover.motion->direction));
}

Asked ask_speed(const Scene& scene, RandomStream&) {
  if (scene.form != Form::move) return {};
  const Shape& mover = scene.shapes[0];
  return answered(fmt::format("how does the {} move?", word(mover.kind)),
                  fmt::format("it moves {}.", speed_word(mover.motion->is_quick)),
                  speed_word(mover.motion->is_quick));
}

Asked ask_mover(const Scene& scene, RandomStream&) {
  if (scene.form != Form::move || scene.shapes.size() < 2) return {};
  const auto kind = word(scene.shapes[0].kind);
  return answered("which shape moves?", fmt::format("the shape that moves is a {}.", kind), kind);
}

Asked ask_field(const Scene& scene, RandomStream&) {
  const auto field = word(scene.background.field);
  return answered("what is the field like?", fmt::format("the field is {}.", field), field);
}

Asked ask_order(const Scene& scene, RandomStream& random) {
  if (scene.form != Form::order) return {};
  const auto last = static_cast<std::size_t>(random.below(2));
  const auto kind = word(scene.shapes[last].kind);
  const char* place = last == 1 ? "last" : "first";
  return answered(fmt::format("which shape appears {}?", place),
                  fmt::format("the {} shape is a {}.", place, kind), kind);
}

QuestionAnswer yes_or_no(std::string question, bool is_yes) {
  const char* answer = is_yes ? "yes" : "no";
  return answered(std::move(question), fmt::format("{}.", answer), answer);
}

int absent_kind(const Scene& scene, RandomStream& random) {
  int kind;
  do {
    kind = static_cast<int>(random.below(kNumKinds));
  } while (has_kind(scene, kind));
  return kind;
}

Asked ask_present(const Scene& scene, RandomStream& random) {
  const bool is_yes = random.below(2) == 1;
  const int kind =
      is_yes ? static_cast<int>(any_shape(scene, random).kind) : absent_kind(scene, random);
  return yes_or_no(fmt::format("is there a {}?", kKindWords[static_cast<std::size_t>(kind)]),
                   is_yes);
}

// A colour that the shape does not have, mostly that of another shape of the scene.
Colour other_colour(const Scene& scene, const Shape& shape, RandomStream& random) {
  std::vector<Colour> shown;
  for (const Shape& other : scene.shapes)
    if (other.colour != shape.colour) shown.push_back(other.colour);
  if (!shown.empty() && random.uniform() < 0.7) return one_of(random, shown);
  Colour colour;
  do {
    colour = static_cast<Colour>(random.below(kNumColours));
  } while (colour == shape.colour);
  return colour;
}

Asked ask_bound(const Scene& scene, RandomStream& random) {
  const Shape& shape = any_shape(scene, random);
  const bool is_yes = random.below(2) == 1;
  const Colour colour = is_yes ? shape.colour : other_colour(scene, shape, random);
  return yes_or_no(fmt::format("is there a {} {}?", word(colour), word(shape.kind)), is_yes);
}

// The one shape that sounds; none if there are more, or none.
const Shape* only_sounding(const Scene& scene) {
  const auto is_audible = [](const Shape& shape) { return shape.gain > 0; };
  if (std::ranges::count_if(scene.shapes, is_audible) != 1) return nullptr;
  return &*std::ranges::find_if(scene.shapes, is_audible);
}

Asked ask_makes(const Scene&, RandomStream& random) {
  const auto kind = static_cast<Kind>(random.below(kNumKinds));
  return answered(fmt::format("which sound does the {} make?", word(kind)),
                  fmt::format("it is a {}.", sound_word(kind)), sound_word(kind));
}

Asked ask_sound(const Scene& scene, RandomStream&) {
  const Shape* shape = only_sounding(scene);
  if (shape == nullptr) return {};
  const auto sound = sound_word(shape->kind);
  return answered("which sound do you hear?", fmt::format("it is a {}.", sound), sound);
}

Asked ask_source(const Scene& scene, RandomStream&) {
  const Shape* shape = only_sounding(scene);
  if (shape == nullptr) return {};
  const auto kind = word(shape->kind);
  return answered("what makes this sound?", fmt::format("a {} makes it.", kind), kind);
}

Asked ask_heard(const Scene& scene, RandomStream& random) {
  const bool is_yes = random.below(2) == 1;
  const auto kind = static_cast<Kind>(is_yes ? static_cast<int>(any_shape(scene, random).kind)
                                             : absent_kind(scene, random));
  return yes_or_no(fmt::format("do you hear a {}?", sound_word(kind)), is_yes);
}

Asked ask_sound_order(const Scene& scene, RandomStream& random) {
  if (scene.form != Form::order) return {};
  const auto last = static_cast<std::size_t>(random.below(2));
  const auto sound = sound_word(scene.shapes[last].kind);
  const char* place = last == 1 ? "last" : "first";
  return answered(fmt::format("which sound comes {}?", place),
                  fmt::format("the {} sound is a {}.", place, sound), sound);
}

Asked ask_source_order(const Scene& scene, RandomStream& random) {
  if (scene.form != Form::order) return {};
  const auto last = static_cast<std::size_t>(random.below(2));
  const auto kind = word(scene.shapes[last].kind);
  const char* place = last == 1 ? "last" : "first";
  return answered(fmt::format("which shape sounds {}?", place),
                  fmt::format("the {} shape is a {}.", place, kind), kind);
}

Asked ask_heard_colour(const Scene& scene, RandomStream&) {
  const Shape* shape = only_sounding(scene);
  if (scene.shapes.size() == 1 || shape == nullptr) return {};
  return answered("what colour is the shape that you hear?",
                  fmt::format("the {} is {}.", word(shape->kind), word(shape->colour)),
                  word(shape->colour));
}

constexpr std::array<std::string_view, 2> kYesNo{"yes", "no"}, kSizes{"small", "large"},
    kSpeeds{"slowly", "quickly"};
constexpr std::array<std::string_view, 3> kNumbers{"one", "two", "three"};

struct TypeOfQuestion {
  std::span<const std::string_view> options;
  Asked (*ask)(const Scene&, RandomStream&);
};

const TypeOfQuestion& type_of_question(std::string_view type) {
  static const std::map<std::string_view, TypeOfQuestion> kTypes{
      {"colour", {kColourWords, ask_colour}},
      {"kind", {kKindWords, ask_kind}},
      {"size", {kSizes, ask_size}},
      {"count", {kNumbers, ask_count}},
      {"direction", {kDirectionWords, ask_direction}},
      {"speed", {kSpeeds, ask_speed}},
      {"mover", {kKindWords, ask_mover}},
      {"field", {kFieldWords, ask_field}},
      {"order", {kKindWords, ask_order}},
      {"present", {kYesNo, ask_present}},
      {"bound", {kYesNo, ask_bound}},
      {"makes", {kSoundWords, ask_makes}},
      {"sound", {kSoundWords, ask_sound}},
      {"source", {kKindWords, ask_source}},
      {"heard", {kYesNo, ask_heard}},
      {"sound_order", {kSoundWords, ask_sound_order}},
      {"source_order", {kKindWords, ask_source_order}},
      {"heard_colour", {kColourWords, ask_heard_colour}},
  };
  const auto found = kTypes.find(type);
  VLLAMA_ASSERT(found != kTypes.end(), "a known type of question");
  return found->second;
}

}  // namespace

std::string joined(const std::vector<std::string>& parts) {
  std::string text;
  for (std::size_t i = 0; i < parts.size(); ++i)
    text += (i == 0 ? "" : i + 1 == parts.size() ? " and " : ", ") + parts[i];
  return text;
}

std::vector<std::string> nouns(const Scene& scene) {
  return nouns(scene.shapes);
}

std::string caption(const Scene& scene, RandomStream& random) {
  return with_field(scene, event(scene, random), random);
}

std::string picture_caption(const Scene& scene, double time, RandomStream& random) {
  auto shapes = scene.visible(time);
  std::ranges::sort(shapes, {}, [&](const Shape* shape) { return shape->at(time).x; });
  std::vector<std::string> parts;
  for (const Shape* shape : shapes) {
    const Point place = shape->at(time);
    parts.push_back(fmt::format("{} at the {}", noun(*shape), place_word(place.x, place.y)));
  }
  return with_field(scene, parts.empty() ? "nothing" : joined(parts), random);
}

std::string keywords(const Scene& scene, RandomStream& random) {
  std::vector<std::string> parts;
  for (std::size_t i = 0; i < scene.shapes.size(); ++i) {
    const Shape& shape = scene.shapes[i];
    parts.push_back(fmt::format("{} {} {} {}", size_word(shape.is_large), word(shape.colour),
                                word(shape.kind), behaviour(scene, i)));
  }
  parts.emplace_back(word(scene.background.field));
  if (random.below(2) == 0) parts.emplace_back(number_word(scene.shapes.size()));
  shuffle(random, parts);
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : "; ") + part;
  return text;
}

std::string heard(const Scene& scene) {
  std::vector<std::string> sounds;
  for (const Shape& shape : scene.shapes)
    sounds.push_back(fmt::format("a {}", sound_word(shape.kind)));
  if (scene.form == Form::order)
    return fmt::format("{} is heard first, {} is heard last", sounds[0], sounds[1]);
  return joined(sounds) + (sounds.size() == 1 ? " is heard" : " are heard");
}

std::string request_of_description(RandomStream& random) {
  static constexpr std::array<const char*, 3> kRequests{
      "describe the video.", "tell me about the video.", "describe this."};
  return kRequests[static_cast<std::size_t>(random.below(kRequests.size()))];
}

std::span<const std::string_view> options(std::string_view type) {
  return type_of_question(type).options;
}

std::optional<QuestionAnswer> ask(const Scene& scene, std::string_view type, RandomStream& random) {
  Asked asked = type_of_question(type).ask(scene, random);
  if (asked) asked->type = type;
  return asked;
}

}  // namespace vllama::toy
