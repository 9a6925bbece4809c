#include <catch2/catch.hpp>
#include <set>

#include "toy_world/senses/captions.h"

using namespace vllama;

TEST_CASE("captions: every description fits the table, names all kinds, and details vary") {
  const toy::CaptionWords words;
  RandomStream random(1);
  std::set<bool> with_place, with_field;
  for (int i = 0; i < 2000; ++i) {
    const toy::Picture picture = toy::draw_picture(random);
    const std::string text = toy::describe(picture, random);
    INFO(text);
    REQUIRE(std::ssize(words.encode(text)) == toy::kCaptionLength);
    for (const toy::Shape* shape : picture.scene.visible(picture.time))
      CHECK(text.find(toy::word(shape->kind)) != std::string::npos);
    CHECK(text.find("  ") == std::string::npos);
    with_place.insert(text.find(" at the ") != std::string::npos);
    with_field.insert(text.find(" field") != std::string::npos);
  }
  CHECK(with_place.size() == 2);
  CHECK(with_field.size() == 2);
}
