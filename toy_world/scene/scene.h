// What a clip of the toy world shows: shapes that move, stay or take turns on a field. Places are
// in pixels of a picture of kSide x kSide, x to the right and y down; times are shares of the clip,
// from 0 to 1.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "core/random.h"

namespace vllama::toy {

inline constexpr int kSide = 56;
inline constexpr double kClipSeconds = 8;
inline constexpr int kNumKinds = 6, kNumColours = 6, kNumFields = 3, kNumDirections = 4;

enum class Kind { circle, square, triangle, cross, ring, bar };
enum class Colour { red, green, blue, yellow, white, purple };
enum class Field { plain, striped, dotted };
enum class Direction { left, right, up, down };
enum class Form { move, still, order };  // one shape moves; none does; two, one after the other

inline constexpr std::array<std::string_view, kNumKinds> kKindWords{"circle", "square", "triangle",
                                                                    "cross",  "ring",   "bar"};
// What a visible shape of each kind sounds like.
inline constexpr std::array<std::string_view, kNumKinds> kSoundWords{"bell", "drum",  "whistle",
                                                                     "buzz", "chirp", "horn"};
inline constexpr std::array<std::string_view, kNumColours> kColourWords{
    "red", "green", "blue", "yellow", "white", "purple"};
inline constexpr std::array<std::string_view, kNumFields> kFieldWords{"plain", "striped", "dotted"};
inline constexpr std::array<std::string_view, kNumDirections> kDirectionWords{"left", "right", "up",
                                                                              "down"};

std::string_view word(Kind kind);
std::string_view sound_word(Kind kind);
std::string_view word(Colour colour);
std::string_view word(Field field);
std::string_view word(Direction direction);
std::string_view size_word(bool is_large);         // "large", "small"
std::string_view speed_word(bool is_quick);        // "quickly", "slowly"
std::string_view place_word(double x, double y);   // "top left" ... "bottom right", 3 x 3 cells
std::string_view number_word(std::size_t number);  // "no", "one", "two", "three"

struct Motion {
  Direction direction;
  bool is_quick;
  double distance;  // pixels from the beginning of the clip to its end
};

struct Point {
  double x, y;
};

struct Shape {
  Kind kind;
  Colour colour;
  bool is_large;
  double radius;
  Point centre;  // of the path: where the shape is in the middle of the clip
  std::optional<Motion> motion;
  double appears = 0, vanishes = 1;
  double semitones;  // by which its sound is higher
  double gain;       // of its sound; 0: it makes none

  Point at(double time) const;
  bool is_visible(double time) const { return time >= appears && time < vanishes; }
};

struct Background {
  Field field;
  std::array<double, 3> colour;  // 0 to 1
  double texture;                // what stripes or dots add to the colour
  bool is_horizontal;            // of stripes
  Point offset;                  // of stripes or dots
};

struct Scene {
  Form form;
  std::vector<Shape> shapes;  // in `order` scenes by appearance; in `move` scenes the mover first
  Background background;
  std::uint64_t noise_key;  // names the noise of pictures and sound

  std::vector<const Shape*> visible(double time) const;

  // What the picture at `time` shows, as a scene that stays as it is.
  Scene moment(double time) const;
};

// Which pairs of kind and colour a scene may hold. Six pairs, one of each kind, are held out of
// everything that recipes train on.
enum class Pairs { all, without_held_out, first_held_out };

bool is_held_out(Kind kind, Colour colour);

struct SceneRules {
  Pairs pairs = Pairs::without_held_out;
  // Relative frequency of move, still and order.
  std::array<double, 3> form_weights{2, 1, 1};
  std::size_t min_shapes = 1, max_shapes = 3;  // an `order` scene has two in any case
};

// A scene that keeps the world honest: kinds are distinct within it; the positions of a path are
// the same for opposite directions; shapes in order are visible equally long; shapes keep apart
// along their paths.
Scene draw_scene(RandomStream& random, const SceneRules& rules = {});

// Leaves one shape of the scene its sound, any of them, and gives it.
const Shape& leave_one_sound(Scene& scene, RandomStream& random);

}  // namespace vllama::toy
