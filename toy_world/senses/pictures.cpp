#include "toy_world/senses/pictures.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "toy_world/scene/drawing.h"

namespace vllama::toy {
namespace {

constexpr double kLargestSmoothing = 0.5, kLargestNoise = 3;  // levels of 255

// One channel of a picture, kSide x kSide.
using Plane = std::array<double, static_cast<std::size_t>(kSide) * kSide>;

std::size_t place(int x, int y) {
  return static_cast<std::size_t>(y) * kSide + static_cast<std::size_t>(x);
}

void halve_resolution(Plane& plane) {
  for (int y = 0; y < kSide; y += 2)
    for (int x = 0; x < kSide; x += 2) {
      const std::array<std::size_t, 4> block{place(x, y), place(x + 1, y), place(x, y + 1),
                                             place(x + 1, y + 1)};
      double mean = 0;
      for (const std::size_t at : block) mean += plane[at] / 4;
      for (const std::size_t at : block) plane[at] = mean;
    }
}

// Mixes `share` of the mean of the four neighbours into every pixel.
void smooth(Plane& plane, double share) {
  const Plane before = plane;
  const auto pixel = [&](int x, int y) {
    return before[place(std::clamp(x, 0, kSide - 1), std::clamp(y, 0, kSide - 1))];
  };
  for (int y = 0; y < kSide; ++y)
    for (int x = 0; x < kSide; ++x) {
      const double mean =
          (pixel(x - 1, y) + pixel(x + 1, y) + pixel(x, y - 1) + pixel(x, y + 1)) / 4;
      plane[place(x, y)] += share * (mean - before[place(x, y)]);
    }
}

std::uint8_t level(double value) {
  return static_cast<std::uint8_t>(std::lround(std::clamp(value, 0.0, 255.0)));
}

}  // namespace

Picture draw_picture(RandomStream& random, const SceneRules& rules) {
  Scene scene = draw_scene(random, rules);
  const double time = random.uniform();
  return draw_picture(std::move(scene), time, random);
}

Picture draw_picture(Scene scene, double time, RandomStream& random) {
  std::vector<std::uint8_t> pixels = draw_picture(scene, time, /*frame=*/random.below(1000));
  if (random.below(3) > 0) wear(pixels, random);
  return {std::move(scene), time, std::move(pixels)};
}

void wear(std::vector<std::uint8_t>& pixels, RandomStream& random) {
  // Brightness and two differences of colour (ITU-R BT.601).
  Plane brightness, blue_difference, red_difference;
  for (std::size_t i = 0; i < brightness.size(); ++i) {
    const double red = pixels[3 * i], green = pixels[3 * i + 1], blue = pixels[3 * i + 2];
    brightness[i] = 0.299 * red + 0.587 * green + 0.114 * blue;
    blue_difference[i] = blue - brightness[i];
    red_difference[i] = red - brightness[i];
  }
  halve_resolution(blue_difference);
  halve_resolution(red_difference);
  if (random.below(2) == 1) smooth(brightness, random.uniform(0, kLargestSmoothing));
  const double noise = random.below(2) == 1 ? random.uniform(0, kLargestNoise) : 0;
  for (std::size_t i = 0; i < brightness.size(); ++i) {
    const double y = brightness[i] + random.uniform(-noise, noise);
    const double red = y + red_difference[i], blue = y + blue_difference[i];
    pixels[3 * i] = level(red);
    pixels[3 * i + 1] = level((y - 0.299 * red - 0.114 * blue) / 0.587);
    pixels[3 * i + 2] = level(blue);
  }
}

}  // namespace vllama::toy
