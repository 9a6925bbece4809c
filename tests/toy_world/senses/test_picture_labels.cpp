#include <catch2/catch.hpp>

#include "toy_world/senses/picture_labels.h"

using namespace vllama;

TEST_CASE("labels say what is in the picture and where") {
  RandomStream random(3);
  std::vector<toy::Picture> pictures;
  for (int i = 0; i < 50; ++i) pictures.push_back(toy::draw_picture(random));
  const toy::PictureLabels labels = toy::label(pictures, 4);
  for (std::int64_t i = 0; i < 50; ++i) {
    const toy::Picture& picture = pictures[static_cast<std::size_t>(i)];
    const auto visible = picture.scene.visible(picture.time);
    CHECK(labels.number_N[i].item<std::int64_t>() == std::ssize(visible));
    CHECK(labels.kinds.present[i].sum().item<double>() == static_cast<double>(visible.size()));
    for (const toy::Shape* shape : visible) {
      const auto kind = static_cast<std::int64_t>(shape->kind);
      CHECK(labels.kinds.colour[i][kind].item<std::int64_t>() ==
            static_cast<std::int64_t>(shape->colour));
      const toy::Point place = shape->at(picture.time);
      CHECK((labels.kinds.place[i][kind][0].item<double>() + 1) * toy::kSide / 2 ==
            Approx(place.x).margin(1e-3));
      const auto patch =
          static_cast<std::int64_t>(place.y / 14) * 4 + static_cast<std::int64_t>(place.x / 14);
      CHECK(labels.patches.present[i][patch].item<float>() == 1);
    }
  }
  CHECK(toy::frames(pictures).size(0) == 50);
}

TEST_CASE("wear leaves a picture nearly as it is") {
  RandomStream random(4);
  toy::Picture picture = toy::draw_picture(random);
  const auto before = picture.pixels;
  toy::wear(picture.pixels, random);
  double difference = 0;
  for (std::size_t i = 0; i < before.size(); ++i)
    difference += std::abs(static_cast<double>(before[i]) - picture.pixels[i]);
  CHECK(picture.pixels != before);
  CHECK(difference / static_cast<double>(before.size()) < 8);
}
