// The frames of a clip are the pictures that a player shows, each at its time: compared with what
// the program ffmpeg gives.
#include <fmt/format.h>

#include <algorithm>
#include <catch2/catch.hpp>

#include "tests/media/field_streams.h"
#include "tests/media/shown_frames.h"

using namespace vllama;
using media::VideoReader;

namespace {

// An MPEG-4 stream of ten pictures a second with these pictures "not coded": cut off behind the bit
// that says so (ISO/IEC 14496-2, 6.2.5).
std::string without_coding(const std::string& stream, const std::vector<std::size_t>& numbers) {
  const std::string start("\0\0\1\xb6", 4);
  constexpr std::size_t kTimeBits = 4;  // of ten steps
  std::string result;
  std::size_t begin = 0, picture = stream.find(start);
  for (std::size_t number = 0; picture != std::string::npos; ++number) {
    const std::size_t next = stream.find(start, picture + 4), after = picture + 4;
    if (std::ranges::find(numbers, number) == numbers.end()) {
      result += stream.substr(begin, next - begin);
    } else {
      std::vector<bool> bits;
      for (std::size_t i = 0; i < 64; ++i)
        bits.push_back((static_cast<unsigned char>(stream[after + i / 8]) >> (7 - i % 8) & 1) != 0);
      bits[1] = true;  // predicted
      std::size_t end = 2;
      while (bits[end]) ++end;       // whole seconds
      end += 1 + 1 + kTimeBits + 1;  // their end, a marker, the time, a marker
      bits.resize(end);
      bits.insert(bits.end(), {false, false});  // not coded; stuffing is a zero and ones
      while (bits.size() % 8 != 0) bits.push_back(true);
      result += stream.substr(begin, after - begin);
      for (std::size_t i = 0; i < bits.size(); i += 8) {
        int byte = 0;
        for (std::size_t bit = 0; bit < 8; ++bit) byte = byte << 1 | (bits[i + bit] ? 1 : 0);
        result += static_cast<char>(byte);
      }
    }
    begin = picture = next;
  }
  return result;
}

}  // namespace

TEST_CASE("two fields of H.264 are one picture, in every container") {
  std::vector<std::uint8_t> lumas;
  for (int i = 0; i < 24; ++i) lumas.push_back(static_cast<std::uint8_t>(40 + 7 * i));
  const test::TemporaryFolder folder;
  const auto bare = test::written(folder, "fields.h264", test::h264_fields(lumas));
  // The unit of bare streams is 1/1200000 s: 20 fields a second.
  const auto mp4 = test::make_clip(folder, "fields.mp4",
                                   "-i '" + bare.string() + "' -c copy -bsf:v setts=ts=N*60000");
  if (!mp4) return;
  const auto transport = test::copy_of(folder, *mp4, "fields.ts");
  test::check_as_program(folder, bare, 24);
  for (const auto& clip : {*mp4, transport, test::copy_of(folder, *mp4, "fields.mov"),
                           test::copy_of(folder, *mp4, "fields.mkv")}) {
    test::check_as_program(folder, clip, 24);
    test::check_times(clip, 10);
    const auto means = test::means_of(clip);
    for (std::size_t i = 0; i < means.size(); ++i) test::check_mean(means[i], lumas[i]);
  }
  // What an AVI file leaves empty between fields repeats pictures.
  const auto avi = test::copy_of(folder, transport, "fields.avi");
  VideoReader reader(avi);
  CHECK(test::without_repeats(test::all_frames(reader)) == test::program_fingerprints(folder, avi));
}

TEST_CASE("two fields of MPEG-2 are one picture") {
  std::vector<std::uint8_t> lumas;
  for (int i = 0; i < 24; ++i) lumas.push_back(static_cast<std::uint8_t>(40 + 7 * i));
  const test::TemporaryFolder folder;
  const auto bare = test::written(folder, "fields.m2v", test::mpeg2_fields(lumas));
  const auto program = test::make_clip(folder, "fields.mpg", "-i '" + bare.string() + "' -c copy");
  if (!program) return;
  for (const auto& clip : {bare, *program, test::copy_of(folder, *program, "fields.vob")}) {
    test::check_as_program(folder, clip, 24);
    test::check_times(clip, 25);
    const auto means = test::means_of(clip);
    for (std::size_t i = 0; i < means.size(); ++i) test::check_mean(means[i], lumas[i]);
  }
}

TEST_CASE("a recorded broadcast of fields: as many frames as pictures") {
  VLLAMA_SHARED_FILE(clip, "reports/media/paff.ts");
  const auto means = test::means_of(clip);
  REQUIRE(means.size() == 28);
  for (std::size_t i = 0; i < means.size(); ++i)
    test::check_mean(means[i], 40 + 6 * static_cast<double>(i));
  test::check_times(clip, 10);
}

TEST_CASE("pictures that are not coded show the one before") {
  VLLAMA_SHARED_FILE(clip, "reports/media/nvop.avi");
  const test::TemporaryFolder folder;
  std::vector<std::filesystem::path> clips{clip};
  const std::string source = std::filesystem::absolute(clip).string();
  for (const std::string name : {"nvop.mp4", "nvop.mkv", "nvop.mov"})
    if (const auto made = test::make_clip(folder, name, "-i '" + source + "' -c copy"))
      clips.push_back(*made);
  for (const auto& file : clips) {
    INFO(file);
    test::check_times(file, 10);
    VideoReader reader(file);
    const auto coded = test::program_fingerprints(folder, file);
    REQUIRE(coded.size() == 8);
    test::Fingerprints expected;
    constexpr std::size_t kCoded[] = {0, 1, 2, 10, 20, 30, 40, 50, 60};
    for (std::size_t i = 0; i < coded.size(); ++i)
      expected.insert(expected.end(), kCoded[i + 1] - kCoded[i], coded[i]);
    test::check_frames(reader, expected);
  }
}

TEST_CASE("pictures that are not coded show the one before, in every container") {
  const test::TemporaryFolder folder;
  const auto whole =
      test::make_clip(folder, "whole.m4v",
                      test::moving_picture("64x48", 10, 30) + "-c:v mpeg4 -g 1 -f m4v", "mpeg4");
  if (!whole) return;
  const auto pictures = test::program_fingerprints(folder, *whole);
  REQUIRE(pictures.size() == 30);
  const std::vector<std::size_t> not_coded{3, 4, 5, 11, 20, 21, 29};
  const auto bare = test::written(folder, "bare.m4v", without_coding(read_file(*whole), not_coded));
  test::Fingerprints expected = pictures;
  for (const std::size_t i : not_coded) expected[i] = expected[i - 1];
  for (const std::string name : {"nvop.avi", "nvop.mp4", "nvop.mkv", "nvop.mov"}) {
    const auto clip = test::make_clip(
        folder, name, "-framerate 10 -f m4v -i '" + bare.string() + "' -c copy -r 10");
    INFO(name);
    VideoReader reader(*clip);
    test::check_frames(reader, expected);
    test::check_times(*clip, 10);
  }
}

TEST_CASE("chunks that an AVI file leaves empty show the picture before") {
  const test::TemporaryFolder folder;
  struct Kind {
    std::string name, encoder, options;
  };
  const Kind kinds[] = {
      {"mpeg4", "mpeg4", "-c:v mpeg4 -g 5"},
      {"mpeg4_b", "mpeg4", "-c:v mpeg4 -bf 2 -g 30"},
      {"motion", "mjpeg", "-c:v mjpeg"},
      {"h264", "libx264", "-c:v libx264 -bf 0"},
  };
  for (const Kind& kind : kinds) {
    INFO(kind.name);
    const auto clip =
        test::make_clip(folder, kind.name + ".avi",
                        test::moving_picture("64x48", 10, 30) +
                            "-vf 'select=not(between(n\\,4\\,6)+between(n\\,20\\,21))' "
                            "-fps_mode vfr -r 10 " +
                            kind.options,
                        kind.encoder);
    if (!clip) continue;
    VideoReader reader(*clip);
    const auto coded = test::program_fingerprints(folder, *clip);
    REQUIRE(coded.size() == 25);
    test::check_times(*clip, 10);
    const auto found = test::all_frames(reader);
    REQUIRE(found.size() == 30);
    // A decoder that holds pictures back shows the repetition that much earlier.
    CHECK(test::without_repeats(found) == test::without_repeats(coded));
    if (kind.name == "mpeg4_b") continue;
    for (const std::size_t i : {4u, 5u, 6u}) CHECK(found[i] == coded[3]);
    for (const std::size_t i : {20u, 21u}) CHECK(found[i] == coded[16]);
  }
}

TEST_CASE("frames that are only referred to do not count") {
  const test::TemporaryFolder folder;
  const std::string picture = test::moving_picture("176x144", 10, 60);
  const std::string vp8 = picture +
                          "-c:v libvpx -g 100 -auto-alt-ref 1 -lag-in-frames 25 -b:v 60k "
                          "-passlogfile '" +
                          (folder.path() / "log").string() + "' ";
  if (test::make_clip(folder, "none", vp8 + "-pass 1 -f null", "libvpx")) {
    const auto clip = *test::make_clip(folder, "vp8.webm", vp8 + "-pass 2");
    test::check_as_program(folder, clip, 60);
    test::check_times(clip, 10);
    test::check_as_program(folder, test::copy_of(folder, clip, "vp8.mkv"), 60);
    test::check_as_program(folder, test::copy_of(folder, clip, "vp8.ivf"), 60);
  }
  if (const auto clip = test::make_clip(folder, "vp9.webm",
                                        picture + "-c:v libvpx-vp9 -g 100 -auto-alt-ref 6 "
                                                  "-lag-in-frames 25 -b:v 60k -cpu-used 8",
                                        "libvpx-vp9")) {
    test::check_as_program(folder, *clip, 60);
    test::check_as_program(
        folder, test::copy_of(folder, *clip, "vp9.mkv", "-bsf:v vp9_superframe_split"), 60);
  }
  if (const auto clip = test::make_clip(
          folder, "av1.mkv",
          test::moving_picture("64x48", 10, 16) + "-c:v libaom-av1 -cpu-used 8 -g 100",
          "libaom-av1")) {
    test::check_as_program(folder, *clip, 16);
    test::check_as_program(folder,
                           test::copy_of(folder, *clip, "split.mkv", "-bsf:v av1_frame_split"), 16);
  }
}
