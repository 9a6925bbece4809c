#include <ATen/ops/allclose.h>

#include <catch2/catch.hpp>
#include <cmath>

#include "toy_world/senses/clip_file.h"
#include "toy_world/senses/sound_pairs.h"

using namespace vllama;

TEST_CASE("sound pairs: a pair depends on seed and number, and sounds differ") {
  const toy::SoundPairs few = toy::draw_sound_pairs(3, 1), more = toy::draw_sound_pairs(4, 1);
  CHECK(at::allclose(few.sounds_N1MT, more.sounds_N1MT.narrow(0, 0, 3)));
  CHECK(few.contents[2] == more.contents[2]);
  CHECK(few.pictures[1].pixels == more.pictures[1].pixels);
  CHECK_FALSE(at::allclose(more.sounds_N1MT[0], more.sounds_N1MT[1]));
}

TEST_CASE("sound pairs: at the edges of a clip the two seconds stay inside") {
  RandomStream random(1);
  const toy::Scene scene = toy::draw_scene(random);
  std::vector<toy::Picture> pictures;
  for (const double time : {0.0, 0.1, 0.95, 1.0})
    pictures.push_back(toy::draw_picture(scene, time, random));
  const at::Tensor sounds = toy::sounds_around(pictures, toy::Carrier::none);
  CHECK(at::allclose(sounds[0], sounds[1]));
  CHECK(at::allclose(sounds[2], sounds[3]));
  CHECK_FALSE(at::allclose(sounds[0], sounds[2]));
}

TEST_CASE("sounds come back from a clip's file in their places, and nearly as they were") {
  std::vector<std::vector<float>> sounds(2);
  for (std::size_t i = 0; i < 8000; ++i) {
    sounds[0].push_back(static_cast<float>(0.5 * std::sin(0.2 * static_cast<double>(i))));
    sounds[1].push_back(static_cast<float>(0.5 * std::sin(0.05 * static_cast<double>(i))));
  }
  const auto heard = toy::sounds_through_clip(sounds);
  REQUIRE(heard.size() == 2);
  for (std::size_t k = 0; k < 2; ++k) {
    double error = 0;
    for (std::size_t i = 1500; i < 6500; ++i)
      error += std::abs(static_cast<double>(heard[k][i]) - sounds[k][i]) / 5000;
    CHECK(error < 0.05);
  }
}

TEST_CASE("pictures come back from a clip's file in their order, and nearly as they were") {
  RandomStream random(1);
  std::vector<std::vector<std::uint8_t>> pictures;
  for (int i = 0; i < 3; ++i) pictures.push_back(toy::draw_picture(random).pixels);
  const auto seen = toy::pictures_through_clip(pictures);
  REQUIRE(seen.size() == 3);
  for (std::size_t k = 0; k < 3; ++k) {
    REQUIRE(seen[k].size() == pictures[k].size());
    double error = 0;
    for (std::size_t i = 0; i < seen[k].size(); ++i)
      error += std::abs(static_cast<double>(seen[k][i]) - pictures[k][i]);
    CHECK(error / static_cast<double>(seen[k].size()) < 10);
  }
}
