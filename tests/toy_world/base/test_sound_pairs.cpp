#include <ATen/ops/allclose.h>

#include <catch2/catch.hpp>

#include "toy_world/base/sound_pairs.h"

using namespace vllama;

TEST_CASE("sound pairs: a pair depends on its number alone, and sounds differ") {
  const toy::SoundPairs few = toy::draw_sound_pairs(3, 1), more = toy::draw_sound_pairs(4, 1);
  CHECK(at::allclose(few.sounds_N1MT, more.sounds_N1MT.narrow(0, 0, 3)));
  CHECK(few.contents[2] == more.contents[2]);
  CHECK(few.pictures[1].pixels == more.pictures[1].pixels);
  CHECK_FALSE(at::allclose(more.sounds_N1MT[0], more.sounds_N1MT[1]));
}

TEST_CASE("sound pairs: at the edges of a clip the two seconds stay inside") {
  RandomStream random(1);
  const toy::Scene scene = toy::draw_scene(random);
  CHECK(at::allclose(toy::sound_around(scene, 0), toy::sound_around(scene, 0.1)));
  CHECK(at::allclose(toy::sound_around(scene, 1), toy::sound_around(scene, 0.95)));
}
