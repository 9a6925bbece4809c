// PNG files hold exactly the pixels they were given.
#include <catch2/catch.hpp>

#include "core/error.h"
#include "core/files.h"
#include "core/random.h"
#include "media/image.h"
#include "media/write_png.h"
#include "tests/support/fixtures.h"

using namespace vllama;
using media::Image;

namespace {

Image noise(std::int64_t width, std::int64_t height) {
  RandomStream stream(random_key({static_cast<std::uint64_t>(width * height)}));
  Image image{width, height, {}};
  for (std::int64_t i = 0; i < width * height * 3; ++i)
    image.rgb.push_back(static_cast<std::uint8_t>(stream.below(256)));
  return image;
}

}  // namespace

TEST_CASE("PNG: reading gives the written pixels") {
  const test::TemporaryFolder folder;
  const auto path = folder.path() / "picture.png";
  for (const auto& [width, height] : {std::pair{1, 1}, {3, 2}, {17, 5}, {224, 224}, {1001, 3}}) {
    const Image image = noise(width, height);
    media::write_png(image, path);
    const Image read = media::read_image(path);
    CAPTURE(width, height);
    CHECK(read.width == width);
    CHECK(read.height == height);
    CHECK(read.rgb == image.rgb);
  }
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 1);
}

TEST_CASE("PNG: bad pictures and folders") {
  const test::TemporaryFolder folder;
  CHECK_THROWS_AS(media::encode_png({}), InternalError);
  CHECK_THROWS_AS(media::encode_png({2, 2, std::vector<std::uint8_t>(11)}), InternalError);
  CHECK_THROWS_AS(media::write_png(noise(2, 2), folder.path() / "no/picture.png"), RunFailure);
}
