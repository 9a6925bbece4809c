// What pictures of scenes show.
#include <catch2/catch.hpp>
#include <cmath>
#include <numbers>

#include "toy_world/scene/drawing.h"

using namespace vllama;
using namespace vllama::toy;

namespace {

Shape shape_of(Kind kind, Colour colour, double radius = 8) {
  Shape shape{};
  shape.kind = kind;
  shape.colour = colour;
  shape.radius = radius;
  shape.centre = {28, 28};
  shape.vanishes = 1;
  return shape;
}

Scene scene_with(const std::vector<Shape>& shapes) {
  return {Form::still, shapes, {Field::plain, {0.1, 0.1, 0.1}, 0.2, false, {0, 0}}, 7};
}

std::array<int, 3> pixel(const std::vector<std::uint8_t>& picture, int x, int y) {
  const auto at = static_cast<std::size_t>((y * kSide + x) * 3);
  return {picture[at], picture[at + 1], picture[at + 2]};
}

// How many pixels' worth of the shape is in the picture, by the brightness that it adds.
double drawn_area(Kind kind, double radius) {
  const auto with = draw_picture(scene_with({shape_of(kind, Colour::white, radius)}), 0.5, 0);
  const auto without = draw_picture(scene_with({}), 0.5, 0);
  double sum = 0;
  for (std::size_t i = 0; i < with.size(); ++i) sum += with[i] - without[i];
  return sum / (3 * 255 * (0.97 - 0.1));
}

}  // namespace

TEST_CASE("drawing: a red circle is red at its centre and nowhere else") {
  const auto picture = draw_picture(scene_with({shape_of(Kind::circle, Colour::red)}), 0.5, 0);
  REQUIRE(picture.size() == 3 * kSide * kSide);
  constexpr int kNoise = 12;  // three deviations of the noise
  const auto red = pixel(picture, 28, 28), field = pixel(picture, 28, 40);
  CHECK(std::abs(red[0] - 242) <= kNoise);
  CHECK(std::abs(red[1] - 38) <= kNoise);
  CHECK(std::abs(red[2] - 31) <= kNoise);
  for (const int channel : field) CHECK(std::abs(channel - 25) <= kNoise);
  CHECK(pixel(picture, 28 + 9, 28)[0] < 60);
  CHECK(pixel(picture, 28 + 6, 28)[0] > 200);
}

TEST_CASE("drawing: a shape that is not visible leaves no trace") {
  Shape shape = shape_of(Kind::square, Colour::green);
  shape.appears = 0.25;
  shape.vanishes = 0.5;
  const Scene scene = scene_with({shape}), empty = scene_with({});
  CHECK(draw_picture(scene, 0.24, 3) == draw_picture(empty, 0.24, 3));
  CHECK(draw_picture(scene, 0.5, 3) == draw_picture(empty, 0.5, 3));
  CHECK(draw_picture(scene, 0.25, 3) != draw_picture(empty, 0.25, 3));
}

TEST_CASE("drawing: a shape is where its path says") {
  Shape shape = shape_of(Kind::circle, Colour::white, 5);
  shape.motion = Motion{Direction::left, true, 30};
  for (const double time : {0.0, 0.3, 0.99}) {
    const auto picture = draw_picture(scene_with({shape}), time, 0);
    double sum = 0, sum_x = 0;
    for (int y = 0; y < kSide; ++y)
      for (int x = 0; x < kSide; ++x)
        if (const int value = pixel(picture, x, y)[0]; value > 100) {
          sum += value;
          sum_x += value * (x + 0.5);
        }
    CHECK(sum_x / sum == Approx(28 + (0.5 - time) * 30).margin(0.3));
  }
}

TEST_CASE("drawing: shapes have the areas of their formulas") {
  const double r = 8;
  constexpr double kTolerance = 0.06;  // soft corners, and noise summed over the picture
  CHECK(drawn_area(Kind::circle, r) == Approx(std::numbers::pi * r * r).epsilon(kTolerance));
  CHECK(drawn_area(Kind::square, r) == Approx(std::pow(1.7 * r, 2)).epsilon(kTolerance));
  CHECK(drawn_area(Kind::cross, r) ==
        Approx(2 * (2 * r * 0.6 * r) - std::pow(0.6 * r, 2)).epsilon(kTolerance));
  CHECK(drawn_area(Kind::ring, r) ==
        Approx(std::numbers::pi * (std::pow(1.02 * r, 2) - std::pow(0.54 * r, 2)))
            .epsilon(kTolerance));
  CHECK(drawn_area(Kind::bar, r) == Approx(2.2 * r * 0.76 * r).epsilon(kTolerance));
  // Base at y = .75 r, sides .866 |x| = .5 y + .5 r.
  const double height = 1.75 * r, half_base = 0.5 * height / 0.866;
  CHECK(drawn_area(Kind::triangle, r) == Approx(height * half_base).epsilon(kTolerance));
}

TEST_CASE("drawing: noise has its deviation and is a function of scene and frame") {
  const Scene scene = scene_with({});
  const auto first = draw_picture(scene, 0, 0), second = draw_picture(scene, 0, 1);
  CHECK(draw_picture(scene, 0, 0) == first);
  CHECK(second != first);
  double mean = 0, power = 0;
  for (const int value : first) {
    mean += value / 9408.0;
    power += value * value / 9408.0;
  }
  CHECK(mean == Approx(25.5).margin(0.2));
  CHECK(std::sqrt(power - mean * mean) == Approx(0.015 * 255).epsilon(0.05));
}

TEST_CASE("drawing: fields differ in their textures") {
  Scene scene = scene_with({});
  const auto bright_share = [&](Field field) {
    scene.background.field = field;
    const auto picture = draw_picture(scene, 0, 0);
    double sum = 0;
    for (const int value : picture) sum += (value - 25.5) / (0.2 * 255) / 9408.0;
    return sum;
  };
  CHECK(bright_share(Field::plain) == Approx(0).margin(0.01));
  CHECK(bright_share(Field::striped) == Approx(3.0 / 8).margin(0.02));
  CHECK(bright_share(Field::dotted) == Approx(std::numbers::pi * 3 / 49).margin(0.02));
}
