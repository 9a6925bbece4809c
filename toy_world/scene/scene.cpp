#include "toy_world/scene/scene.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/error.h"
#include "toy_world/scene/choice.h"

namespace vllama::toy {
namespace {

constexpr double kSmallRadius = 5, kLargeRadius = 9, kRadiusSpread = 0.5;
constexpr double kMargin = 1;  // between a shape and the edge of the picture
constexpr double kGap = 1.5;   // between two shapes
constexpr int kNumPlacements = 200;

template <class Enum>
Enum any(RandomStream& random, int count) {
  return static_cast<Enum>(random.below(static_cast<std::uint64_t>(count)));
}

Form draw_form(RandomStream& random, const std::array<double, 3>& weights) {
  double rest = random.uniform(0, std::accumulate(weights.begin(), weights.end(), 0.0));
  for (const Form form : {Form::move, Form::still}) {
    rest -= weights[static_cast<std::size_t>(form)];
    if (rest < 0) return form;
  }
  return Form::order;
}

Colour held_out_colour(Kind kind) {
  constexpr std::array<Colour, kNumKinds> kColours{Colour::blue,   Colour::green, Colour::red,
                                                   Colour::purple, Colour::white, Colour::yellow};
  return kColours[static_cast<std::size_t>(kind)];
}

Colour draw_colour(RandomStream& random, Kind kind, Pairs pairs, bool is_first) {
  if (pairs == Pairs::first_held_out && is_first) return held_out_colour(kind);
  while (true) {
    const auto colour = any<Colour>(random, kNumColours);
    if (pairs == Pairs::all || !is_held_out(kind, colour)) return colour;
  }
}

Shape draw_shape(RandomStream& random, Kind kind, Pairs pairs, bool is_first) {
  Shape shape{};
  shape.kind = kind;
  shape.colour = draw_colour(random, kind, pairs, is_first);
  shape.is_large = random.below(2) == 1;
  shape.radius = (shape.is_large ? kLargeRadius : kSmallRadius) +
                 random.uniform(-kRadiusSpread, kRadiusSpread);
  shape.vanishes = 1;
  shape.semitones = random.uniform(-1.5, 1.5);
  shape.gain = random.uniform(0.5, 1);
  return shape;
}

Motion draw_motion(RandomStream& random) {
  Motion motion{};
  motion.direction = any<Direction>(random, kNumDirections);
  motion.is_quick = random.below(2) == 1;
  motion.distance = motion.is_quick ? random.uniform(27, 33) : random.uniform(11, 15);
  return motion;
}

Point unit(Direction direction) {
  switch (direction) {
    case Direction::left:
      return {-1, 0};
    case Direction::right:
      return {1, 0};
    case Direction::up:
      return {0, -1};
    case Direction::down:
      return {0, 1};
  }
  VLLAMA_ASSERT(false, "a direction");
}

// Uniform over where the whole path lies within the picture.
Point draw_centre(RandomStream& random, const Shape& shape) {
  const Point axis = shape.motion ? unit(shape.motion->direction) : Point{0, 0};
  const double half_path = shape.motion ? shape.motion->distance / 2 : 0;
  const auto draw = [&](double along) {
    const double room = shape.radius + kMargin + std::abs(along) * half_path;
    return random.uniform(room, kSide - room);
  };
  const double x = draw(axis.x);
  return {x, draw(axis.y)};
}

bool keep_apart(const Shape& a, const Shape& b) {
  for (const double time : {0.0, 0.25, 0.5, 0.75, 1.0}) {
    const Point p = a.at(time), q = b.at(time);
    if (std::hypot(p.x - q.x, p.y - q.y) < a.radius + b.radius + kGap) return false;
  }
  return true;
}

bool place(RandomStream& random, Scene& scene) {
  for (std::size_t i = 0; i < scene.shapes.size(); ++i) {
    Shape& shape = scene.shapes[i];
    shape.centre = draw_centre(random, shape);
    if (scene.form == Form::order) continue;  // never seen together
    for (std::size_t other = 0; other < i; ++other)
      if (!keep_apart(scene.shapes[other], shape)) return false;
  }
  return true;
}

// Equal windows, the first in the first half of the clip and the second in the second.
void take_turns(RandomStream& random, std::vector<Shape>& shapes) {
  const double length = random.uniform(0.38, 0.45);
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    shapes[i].appears = 0.5 * static_cast<double>(i) + random.uniform(0, 0.5 - length);
    shapes[i].vanishes = shapes[i].appears + length;
  }
}

Background draw_background(RandomStream& random) {
  Background background{};
  background.field = any<Field>(random, kNumFields);
  for (double& channel : background.colour) channel = random.uniform(0.05, 0.2);
  background.texture = random.uniform(0.14, 0.22);
  background.is_horizontal = random.below(2) == 1;
  background.offset.x = random.uniform(0, 8);
  background.offset.y = random.uniform(0, 8);
  return background;
}

std::vector<Shape> draw_shapes(RandomStream& random, Form form, std::size_t count, Pairs pairs) {
  std::vector<int> kinds(kNumKinds);
  std::iota(kinds.begin(), kinds.end(), 0);
  shuffle(random, kinds);
  std::vector<Shape> shapes;
  for (std::size_t i = 0; i < count; ++i)
    shapes.push_back(draw_shape(random, static_cast<Kind>(kinds[i]), pairs, i == 0));
  if (form == Form::move) shapes[0].motion = draw_motion(random);
  return shapes;
}

}  // namespace

std::string_view word(Kind kind) {
  return kKindWords[static_cast<std::size_t>(kind)];
}
std::string_view sound_word(Kind kind) {
  return kSoundWords[static_cast<std::size_t>(kind)];
}
std::string_view word(Colour colour) {
  return kColourWords[static_cast<std::size_t>(colour)];
}
std::string_view word(Field field) {
  return kFieldWords[static_cast<std::size_t>(field)];
}
std::string_view word(Direction direction) {
  return kDirectionWords[static_cast<std::size_t>(direction)];
}
std::string_view size_word(bool is_large) {
  return is_large ? "large" : "small";
}
std::string_view speed_word(bool is_quick) {
  return is_quick ? "quickly" : "slowly";
}

std::string_view place_word(double x, double y) {
  static constexpr std::array<std::string_view, 9> kPlaces{"top left",    "top",    "top right",
                                                           "left",        "middle", "right",
                                                           "bottom left", "bottom", "bottom right"};
  const auto cell = [](double value) {
    return std::clamp(static_cast<std::size_t>(value / kSide * 3), std::size_t{0}, std::size_t{2});
  };
  return kPlaces[3 * cell(y) + cell(x)];
}

std::string_view number_word(std::size_t number) {
  static constexpr std::array<std::string_view, 4> kNumbers{"no", "one", "two", "three"};
  return kNumbers.at(number);
}

Point Shape::at(double time) const {
  if (!motion) return centre;
  const Point direction = unit(motion->direction);
  const double way = (time - 0.5) * motion->distance;
  return {centre.x + way * direction.x, centre.y + way * direction.y};
}

std::vector<const Shape*> Scene::visible(double time) const {
  std::vector<const Shape*> found;
  for (const Shape& shape : shapes)
    if (shape.is_visible(time)) found.push_back(&shape);
  return found;
}

Scene Scene::moment(double time) const {
  Scene still = *this;
  still.form = Form::still;
  still.shapes.clear();
  for (const Shape* shape : visible(time)) {
    Shape& copy = still.shapes.emplace_back(*shape);
    copy.centre = shape->at(time);
    copy.motion.reset();
    copy.appears = 0;
    copy.vanishes = 1;
  }
  return still;
}

bool is_held_out(Kind kind, Colour colour) {
  return held_out_colour(kind) == colour;
}

Scene draw_scene(RandomStream& random, const SceneRules& rules) {
  VLLAMA_ASSERT(
      1 <= rules.min_shapes && rules.min_shapes <= rules.max_shapes && rules.max_shapes <= 3,
      "a scene has one to three shapes");
  Scene scene{};
  scene.form = draw_form(random, rules.form_weights);
  const std::size_t count =
      scene.form == Form::order
          ? 2
          : rules.min_shapes + random.below(rules.max_shapes - rules.min_shapes + 1);
  int attempts = 0;
  do {
    if (attempts++ % kNumPlacements == 0)
      scene.shapes = draw_shapes(random, scene.form, count, rules.pairs);
  } while (!place(random, scene));
  if (scene.form == Form::order) take_turns(random, scene.shapes);
  scene.background = draw_background(random);
  scene.noise_key = random.next();
  return scene;
}

const Shape& leave_one_sound(Scene& scene, RandomStream& random) {
  const auto left = static_cast<std::size_t>(random.below(scene.shapes.size()));
  for (std::size_t i = 0; i < scene.shapes.size(); ++i)
    if (i != left) scene.shapes[i].gain = 0;
  return scene.shapes[left];
}

}  // namespace vllama::toy
