// Clips whose packets or parts say little of times: the frames are still those that a player shows,
// each at its time.
#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "tests/media/field_streams.h"
#include "tests/media/shown_frames.h"

using namespace vllama;
using media::VideoReader;

TEST_CASE("without times of presentation the order is the decoder's") {
  struct Kind {
    std::string encoder, options;
    std::vector<std::string> names;
  };
  const Kind kinds[] = {
      {"libx264", "-c:v libx264 -bf 3 -g 12", {"x264.avi", "x264.h264"}},
      {"libx264", "-c:v libx264 -bf 3 -b_strategy 0 -g 12 -x264-params open-gop=1", {"open.h264"}},
      {"libx265", "-c:v libx265 -x265-params log-level=none:keyint=12", {"x265.hevc"}},
      {"mpeg4", "-c:v mpeg4 -bf 2 -g 12", {"mpeg4.avi", "mpeg4.m4v"}},
      {"mpeg2video",
       "-c:v mpeg2video -bf 2 -g 12",
       {"mpeg2.m2v", "mpeg2.mpg", "mpeg2.vob", "mpeg2.avi"}},
      {"mpeg1video", "-c:v mpeg1video -bf 2 -g 12", {"mpeg1.m1v", "mpeg1.mpg"}},
  };
  const test::TemporaryFolder folder;
  for (const Kind& kind : kinds)
    for (const std::string& name : kind.names)
      if (const auto clip = test::make_clip(
              folder, name, test::moving_picture("64x48", 25, 50) + kind.options, kind.encoder)) {
        test::check_as_program(folder, *clip, 50);
        test::check_times(*clip, 25);
      }
}

TEST_CASE("old files with two pictures in a packet") {
  const test::TemporaryFolder folder;
  const auto clip = test::make_clip(
      folder, "packed.avi", test::moving_picture("64x48", 10, 40) + "-c:v libxvid -bf 2 -g 20",
      "libxvid");
  if (!clip) return;
  VideoReader reader(*clip);
  CHECK(reader.facts().num_frames == 40);  // with the places that the encoder left empty
  CHECK(test::without_repeats(test::all_frames(reader)) ==
        test::without_repeats(test::program_fingerprints(folder, *clip)));
}

TEST_CASE("recorded clips without times of presentation: picture i in place i") {
  VLLAMA_SHARED_FILE(media, "reports/media");
  for (const std::string name : {"xvid_b.avi", "m25.mpg"}) {
    INFO(name);
    const auto means = test::means_of(media / name);
    REQUIRE(means.size() == 30);
    for (std::size_t i = 0; i < means.size(); ++i)
      test::check_mean(means[i], 30 + 6 * static_cast<double>(i));
    test::check_times(media / name, name == "m25.mpg" ? 25 : 10);
  }
}

TEST_CASE("recordings behind one another: the parts follow, and times go on") {
  const test::TemporaryFolder folder;
  const std::string h264 = "-c:v libx264 -bf 2 -g 10 ", mpeg2 = "-c:v mpeg2video -bf 2 -g 10 ";
  for (const auto& [name, options] :
       {std::pair{"h264.ts", h264}, std::pair{"mpeg2.ts", mpeg2}, std::pair{"mpeg2.mpg", mpeg2},
        std::pair{"bare.m2v", mpeg2}}) {
    std::string joined;
    for (const int num_frames : {20, 30, 20}) {
      const auto part = test::make_clip(folder, std::to_string(num_frames) + name,
                                        test::moving_picture("64x48", 25, num_frames) + options,
                                        name[0] == 'h' ? "libx264" : "");
      if (!part) return;
      joined += read_file(*part);
    }
    const auto clip = test::written(folder, name, joined);
    test::check_as_program(folder, clip, 70);
    test::check_times(clip, 25);
  }
  VLLAMA_SHARED_FILE(clip, "reports/media/joined.ts");
  const auto means = test::means_of(clip);
  REQUIRE(means.size() == 40);
  for (std::size_t i = 0; i < 20; ++i) {
    test::check_mean(means[i], 30 + 4 * static_cast<double>(i));
    test::check_mean(means[20 + i], 150 + 4 * static_cast<double>(i));
  }
  const auto times = VideoReader(clip).facts().times_seconds;
  for (std::size_t i = 1; i < times.size(); ++i)
    CHECK(times[i] - times[i - 1] == Approx(0.1).margin(0.001));
}

TEST_CASE("headers between the pictures of joined Theora recordings are no pictures") {
  const test::TemporaryFolder folder;
  std::string joined;
  for (const std::string first_luma : {"30", "150"}) {
    const auto part =
        test::make_clip(folder, first_luma + ".ogv",
                        "-f lavfi -i color=size=64x48:rate=10:duration=2,geq=lum=" + first_luma +
                            "+4*N:cb=128:cr=128 -c:v libtheora -q:v 8",
                        "libtheora");
    if (!part) return;
    joined += read_file(*part);
  }
  test::check_as_program(folder, test::written(folder, "joined.ogv", joined), 40);
}

TEST_CASE("what an edit list hides is not shown") {
  const test::TemporaryFolder folder;
  for (const std::string options :
       {"-bf 2 -g 40", "-bf 3 -b_strategy 0 -g 15 -x264-params open-gop=1"}) {
    const auto whole = test::make_clip(
        folder, "whole.mp4", test::moving_picture("64x48", 10, 60) + "-c:v libx264 " + options,
        "libx264");
    if (!whole) return;
    const std::string cut = "-ss 2.35 -i '" + whole->string() + "' -t 2 -c copy";
    for (const std::string name : {"cut.mp4", "cut.mov", "cut.m4v"}) {
      const auto clip = test::make_clip(folder, name, cut);
      const auto expected = test::program_fingerprints(folder, *clip);
      CHECK(expected.size() < 40);
      test::check_as_program(folder, *clip, std::ssize(expected));
      CHECK(VideoReader(*clip).facts().times_seconds.front() < 0.1);
    }
    // A container that cannot hide anything shows all that the cut took along.
    const auto clip = test::make_clip(folder, "cut.mkv", cut);
    test::check_as_program(folder, *clip, std::ssize(test::program_fingerprints(folder, *clip)));
  }
}

TEST_CASE("pictures at the beginning that refer to what was cut off are not shown") {
  const test::TemporaryFolder folder;
  struct Kind {
    std::string encoder, options;
  };
  const Kind kinds[] = {
      {"libx264", "-c:v libx264 -bf 2 -g 20"},
      {"libx264", "-c:v libx264 -bf 3 -b_strategy 0 -g 20 -x264-params open-gop=1"},
      {"libx265", "-c:v libx265 -x265-params log-level=none:keyint=20:open-gop=1:bframes=4"},
      {"mpeg2video", "-c:v mpeg2video -bf 2 -g 12"},
  };
  for (const Kind& kind : kinds) {
    const auto whole = test::make_clip(
        folder, "whole.ts", test::moving_picture("64x48", 10, 60) + kind.options, kind.encoder);
    if (!whole) continue;
    INFO(kind.options);
    constexpr std::size_t kTransportPacket = 188;
    const auto clip =
        test::written(folder, "cut.ts", read_file(*whole).substr(30 * kTransportPacket));
    const auto expected = test::program_fingerprints(folder, clip);
    CHECK(expected.size() < 60);
    test::check_as_program(folder, clip, std::ssize(expected));
  }
}

TEST_CASE("times of a clip whose rate varies are those of its pictures") {
  const test::TemporaryFolder folder;
  for (const std::string name : {"uneven.mp4", "uneven.mkv", "uneven.ts", "uneven.mov"}) {
    const auto clip = test::make_clip(folder, name,
                                      test::moving_picture("64x48", 20, 80) +
                                          "-vf 'select=not(lt(n\\,40)*mod(n\\,10))' -fps_mode vfr "
                                          "-c:v libx264 -bf 2 -g 10",
                                      "libx264");
    if (!clip) return;
    INFO(name);
    test::check_as_program(folder, *clip, 44);
    const VideoReader reader(*clip);
    const auto& times = reader.facts().times_seconds;
    for (std::size_t i = 0; i < times.size(); ++i) {
      const auto place = static_cast<double>(i);
      CHECK(times[i] == Approx(i < 4 ? place / 2 : 2 + (place - 4) / 20).margin(0.0011));
    }
    CHECK(reader.facts().end_seconds == Approx(4).margin(0.06));
  }
  VLLAMA_SHARED_FILE(clip, "reports/media/vfr.mp4");
  const VideoReader reader(clip);
  const auto& times = reader.facts().times_seconds;
  REQUIRE(times.size() == 220);
  for (std::size_t i = 0; i < times.size(); ++i) {
    const auto place = static_cast<double>(i);
    CHECK(times[i] == (i < 20 ? place / 2 : 10 + (place - 20) / 20));
  }
  CHECK(reader.facts().end_seconds == 20);
}
