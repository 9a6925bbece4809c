#include "toy_world/scene/drawing.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/error.h"
#include "toy_world/scene/noise.h"

namespace vllama::toy {
namespace {

constexpr float kColourNoise = 0.015F;  // deviation, of colours from 0 to 1
constexpr std::size_t kSideSize = kSide;

using Rgb = std::array<float, 3>;
using Canvas = std::array<Rgb, kSideSize * kSideSize>;

Rgb rgb(Colour colour) {
  constexpr std::array<Rgb, kNumColours> kColours{{{0.95F, 0.15F, 0.12F},
                                                   {0.15F, 0.8F, 0.2F},
                                                   {0.2F, 0.35F, 1.0F},
                                                   {0.95F, 0.9F, 0.15F},
                                                   {0.97F, 0.97F, 0.97F},
                                                   {0.7F, 0.2F, 0.85F}}};
  return kColours[static_cast<std::size_t>(colour)];
}

// The share of a pixel that lies inside an edge at this signed distance from its centre.
float coverage(float distance) {
  return std::clamp(0.5F - distance, 0.0F, 1.0F);
}

float box_distance(float x, float y, float half_width, float half_height) {
  return std::max(std::abs(x) - half_width, std::abs(y) - half_height);
}

// Signed distance in pixels of (x, y), seen from the shape's centre, from its edge: negative
// inside.
float shape_distance(Kind kind, float x, float y, float radius) {
  switch (kind) {
    case Kind::circle:
      return std::sqrt(x * x + y * y) - radius;
    case Kind::square:
      return box_distance(x, y, 0.85F * radius, 0.85F * radius);
    case Kind::triangle:
      return std::max(y - 0.75F * radius, 0.866F * std::abs(x) - 0.5F * y - 0.5F * radius);
    case Kind::cross:
      return std::min(box_distance(x, y, radius, 0.3F * radius),
                      box_distance(x, y, 0.3F * radius, radius));
    case Kind::ring:
      return std::abs(std::sqrt(x * x + y * y) - 0.78F * radius) - 0.24F * radius;
    case Kind::bar:
      return box_distance(x, y, 1.1F * radius, 0.38F * radius);
  }
  VLLAMA_ASSERT(false, "a kind of shape");
}

// For each row or column of pixels, how far its centre is from the middle of the period it is in.
std::array<float, kSideSize> from_middle(double offset, float period) {
  std::array<float, kSideSize> found{};
  for (std::size_t i = 0; i < kSideSize; ++i)
    found[i] =
        std::fmod(static_cast<float>(i) + 0.5F + static_cast<float>(offset), period) - period / 2;
  return found;
}

void draw_stripes(const Background& background, std::array<float, kSideSize * kSideSize>& texture) {
  constexpr float kPeriod = 8, kWidth = 3;
  const auto places =
      from_middle(background.is_horizontal ? background.offset.y : background.offset.x, kPeriod);
  for (std::size_t y = 0; y < kSideSize; ++y)
    for (std::size_t x = 0; x < kSideSize; ++x)
      texture[y * kSideSize + x] =
          coverage(std::abs(places[background.is_horizontal ? y : x]) - kWidth / 2);
}

void draw_dots(const Background& background, std::array<float, kSideSize * kSideSize>& texture) {
  constexpr float kPeriod = 7, kRadius = 1.7320508F;
  const auto across = from_middle(background.offset.x, kPeriod);
  const auto down = from_middle(background.offset.y, kPeriod);
  for (std::size_t y = 0; y < kSideSize; ++y)
    for (std::size_t x = 0; x < kSideSize; ++x)
      texture[y * kSideSize + x] =
          coverage(std::sqrt(across[x] * across[x] + down[y] * down[y]) - kRadius);
}

void draw_background(const Background& background, Canvas& canvas) {
  std::array<float, kSideSize * kSideSize> texture{};
  if (background.field == Field::striped) draw_stripes(background, texture);
  if (background.field == Field::dotted) draw_dots(background, texture);
  for (std::size_t i = 0; i < canvas.size(); ++i)
    for (std::size_t channel = 0; channel < 3; ++channel)
      canvas[i][channel] = static_cast<float>(background.colour[channel]) +
                           static_cast<float>(background.texture) * texture[i];
}

void draw_shape(const Shape& shape, double time, Canvas& canvas) {
  const Point centre = shape.at(time);
  const auto radius = static_cast<float>(shape.radius);
  const double reach = 1.2 * shape.radius + 1;  // beyond the widest shape, with its soft edge
  const auto bound = [](double place) {
    return static_cast<std::size_t>(std::clamp(place, 0.0, static_cast<double>(kSide)));
  };
  const Rgb colour = rgb(shape.colour);
  for (std::size_t y = bound(centre.y - reach); y < bound(centre.y + reach + 1); ++y)
    for (std::size_t x = bound(centre.x - reach); x < bound(centre.x + reach + 1); ++x) {
      const float from_x = static_cast<float>(x) + 0.5F - static_cast<float>(centre.x);
      const float from_y = static_cast<float>(y) + 0.5F - static_cast<float>(centre.y);
      const float covered = coverage(shape_distance(shape.kind, from_x, from_y, radius));
      Rgb& pixel = canvas[y * kSideSize + x];
      for (std::size_t channel = 0; channel < 3; ++channel)
        pixel[channel] += covered * (colour[channel] - pixel[channel]);
    }
}

}  // namespace

std::vector<std::uint8_t> draw_picture(const Scene& scene, double time, std::uint64_t frame) {
  Canvas canvas;
  draw_background(scene.background, canvas);
  for (const Shape* shape : scene.visible(time)) draw_shape(*shape, time, canvas);
  const std::span<float> values(canvas[0].data(), canvas.size() * 3);
  add_noise(values, kColourNoise, random_key({scene.noise_key, frame}));
  std::vector<std::uint8_t> picture(values.size());
  std::ranges::transform(values, picture.begin(), [](float value) {
    return static_cast<std::uint8_t>(std::clamp(value, 0.0F, 1.0F) * 255 + 0.5F);
  });
  return picture;
}

}  // namespace vllama::toy
