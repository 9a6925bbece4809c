// Frames of a clip with several video streams against frames that torchcodec recorded from it.
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "core/files.h"
#include "media/video.h"
#include "tests/support/fixtures.h"
#include "weights/pth/pth_reader.h"

using namespace vllama;

TEST_CASE("the best of several video streams: its frames and their number, as recorded") {
  VLLAMA_SHARED_FILE(clip, "fixtures/media/nasa_13013.mp4");
  VLLAMA_SHARED_FILE(reference, "fixtures/media/nasa_13013_reference");
  const std::string stem = "nasa_13013.mp4.stream3.";
  media::VideoReader video(clip);
  const auto facts = nlohmann::json::parse(read_file(reference / (stem + "all_frames_info.json")));
  REQUIRE(video.facts().num_frames == static_cast<std::int64_t>(facts.size()));
  for (const std::int64_t index : {0, 1, 5, 9, 180, 389}) {
    INFO("frame " << index);
    const weights::Value recorded =
        weights::read_pth(reference / fmt::format("{}frame{:06}.pt", stem, index));
    const auto* expected = recorded.get_if<weights::TensorView>();
    REQUIRE(expected != nullptr);
    REQUIRE(expected->is_contiguous());
    const media::Image image = video.frames(std::vector<std::int64_t>{index}).images.at(0);
    REQUIRE(expected->shape == std::vector<std::int64_t>{image.height, image.width, 3});
    CHECK(std::equal(image.rgb.begin(), image.rgb.end(),
                     reinterpret_cast<const std::uint8_t*>(expected->bytes.data())));
  }
}
