// The frames of a clip are the pictures that a player shows, each at its time: compared with what
// the program ffmpeg gives.
#include <fmt/format.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <numeric>

#include "core/files.h"
#include "core/random.h"
#include "media/video.h"
#include "tests/media/clips.h"
#include "tests/media/field_streams.h"

using namespace vllama;
using media::VideoReader;

namespace {

constexpr media::FrameSize kSmall{56, 56};
using Fingerprints = std::vector<std::uint64_t>;

Fingerprints frames_of(VideoReader& reader, const std::vector<std::int64_t>& indices) {
  const auto frames = reader.frames(indices, kSmall);
  CHECK(frames.num_concealed == 0);
  Fingerprints found;
  for (const media::Image& image : frames.images) found.push_back(test::fingerprint(image));
  return found;
}

Fingerprints all_frames(VideoReader& reader) {
  std::vector<std::int64_t> indices(static_cast<std::size_t>(reader.facts().num_frames));
  std::iota(indices.begin(), indices.end(), 0);
  return frames_of(reader, indices);
}

// All frames at once, some in any order, and each of a few alone.
void check_frames(VideoReader& reader, const Fingerprints& expected) {
  REQUIRE(reader.facts().num_frames == std::ssize(expected));
  REQUIRE(reader.facts().times_seconds.size() == expected.size());
  CHECK(std::ranges::is_sorted(reader.facts().times_seconds));
  CHECK(reader.facts().end_seconds >= reader.facts().times_seconds.back());
  CHECK(all_frames(reader) == expected);
  RandomStream random(random_key({expected.size()}));
  for (const int count : {1, 1, 1, 8}) {
    std::vector<std::int64_t> indices;
    Fingerprints wanted;
    for (int i = 0; i < count; ++i) {
      indices.push_back(static_cast<std::int64_t>(random.below(expected.size())));
      wanted.push_back(expected[static_cast<std::size_t>(indices.back())]);
    }
    CHECK(frames_of(reader, indices) == wanted);
  }
}

void check_as_program(const test::TemporaryFolder& folder, const std::filesystem::path& clip,
                      std::int64_t num_frames) {
  INFO(clip);
  VideoReader reader(clip);
  CHECK(reader.facts().num_frames == num_frames);
  check_frames(reader, test::program_fingerprints(folder, clip));
}

// Frames at a constant rate that begin at 0.
void check_times(const std::filesystem::path& clip, double frames_per_second) {
  INFO(clip);
  const VideoReader reader(clip);
  CHECK(reader.facts().frames_per_second == Approx(frames_per_second).epsilon(0.02));
  const auto& times = reader.facts().times_seconds;
  for (std::size_t i = 0; i < times.size(); ++i)
    CHECK(times[i] == Approx(static_cast<double>(i) / frames_per_second).margin(0.0011));
}

// The mean of all samples of each frame.
std::vector<double> means_of(const std::filesystem::path& clip) {
  VideoReader reader(clip);
  std::vector<std::int64_t> indices(static_cast<std::size_t>(reader.facts().num_frames));
  std::iota(indices.begin(), indices.end(), 0);
  const auto frames = reader.frames(indices, kSmall);
  CHECK(frames.num_concealed == 0);
  std::vector<double> means;
  for (const media::Image& image : frames.images)
    means.push_back(std::accumulate(image.rgb.begin(), image.rgb.end(), 0.0) /
                    static_cast<double>(image.rgb.size()));
  return means;
}

// Of a frame of one luma; 16 and 235 stand for black and white. Pictures that follow one another
// differ by 4.6 at least; scaling rounds down by up to two levels.
void check_mean(double mean, double luma) {
  CHECK(mean == Approx((luma - 16) * 255 / 219).margin(2.3));
}

Fingerprints without_repeats(Fingerprints frames) {
  frames.erase(std::unique(frames.begin(), frames.end()), frames.end());
  return frames;
}

std::filesystem::path copy_of(const test::TemporaryFolder& folder,
                              const std::filesystem::path& clip, const std::string& name,
                              const std::string& options = "") {
  return *test::make_clip(folder, name, "-i '" + clip.string() + "' -map 0 -c copy " + options);
}

std::filesystem::path written(const test::TemporaryFolder& folder, const std::string& name,
                              const std::string& content) {
  write_file_atomically(folder.path() / name, content);
  return folder.path() / name;
}

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
  const auto bare = written(folder, "fields.h264", test::h264_fields(lumas));
  // The unit of bare streams is 1/1200000 s: 20 fields a second.
  const auto mp4 = test::make_clip(folder, "fields.mp4",
                                   "-i '" + bare.string() + "' -c copy -bsf:v setts=ts=N*60000");
  if (!mp4) return;
  const auto transport = copy_of(folder, *mp4, "fields.ts");
  check_as_program(folder, bare, 24);
  for (const auto& clip : {*mp4, transport, copy_of(folder, *mp4, "fields.mov"),
                           copy_of(folder, *mp4, "fields.mkv")}) {
    check_as_program(folder, clip, 24);
    check_times(clip, 10);
    const auto means = means_of(clip);
    for (std::size_t i = 0; i < means.size(); ++i) check_mean(means[i], lumas[i]);
  }
  // What an AVI file leaves empty between fields repeats pictures.
  const auto avi = copy_of(folder, transport, "fields.avi");
  VideoReader reader(avi);
  CHECK(without_repeats(all_frames(reader)) == test::program_fingerprints(folder, avi));
}

TEST_CASE("two fields of MPEG-2 are one picture") {
  std::vector<std::uint8_t> lumas;
  for (int i = 0; i < 24; ++i) lumas.push_back(static_cast<std::uint8_t>(40 + 7 * i));
  const test::TemporaryFolder folder;
  const auto bare = written(folder, "fields.m2v", test::mpeg2_fields(lumas));
  const auto program = test::make_clip(folder, "fields.mpg", "-i '" + bare.string() + "' -c copy");
  if (!program) return;
  for (const auto& clip : {bare, *program, copy_of(folder, *program, "fields.vob")}) {
    check_as_program(folder, clip, 24);
    check_times(clip, 25);
    const auto means = means_of(clip);
    for (std::size_t i = 0; i < means.size(); ++i) check_mean(means[i], lumas[i]);
  }
}

TEST_CASE("a recorded broadcast of fields: as many frames as pictures") {
  VLLAMA_SHARED_FILE(clip, "reports/media/paff.ts");
  const auto means = means_of(clip);
  REQUIRE(means.size() == 28);
  for (std::size_t i = 0; i < means.size(); ++i)
    check_mean(means[i], 40 + 6 * static_cast<double>(i));
  check_times(clip, 10);
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
    check_times(file, 10);
    VideoReader reader(file);
    const auto coded = test::program_fingerprints(folder, file);
    REQUIRE(coded.size() == 8);
    Fingerprints expected;
    constexpr std::size_t kCoded[] = {0, 1, 2, 10, 20, 30, 40, 50, 60};
    for (std::size_t i = 0; i < coded.size(); ++i)
      expected.insert(expected.end(), kCoded[i + 1] - kCoded[i], coded[i]);
    check_frames(reader, expected);
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
  const auto bare = written(folder, "bare.m4v", without_coding(read_file(*whole), not_coded));
  Fingerprints expected = pictures;
  for (const std::size_t i : not_coded) expected[i] = expected[i - 1];
  for (const std::string name : {"nvop.avi", "nvop.mp4", "nvop.mkv", "nvop.mov"}) {
    const auto clip = test::make_clip(
        folder, name, "-framerate 10 -f m4v -i '" + bare.string() + "' -c copy -r 10");
    INFO(name);
    VideoReader reader(*clip);
    check_frames(reader, expected);
    check_times(*clip, 10);
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
    check_times(*clip, 10);
    const auto found = all_frames(reader);
    REQUIRE(found.size() == 30);
    // A decoder that holds pictures back shows the repetition that much earlier.
    CHECK(without_repeats(found) == without_repeats(coded));
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
    check_as_program(folder, clip, 60);
    check_times(clip, 10);
    check_as_program(folder, copy_of(folder, clip, "vp8.mkv"), 60);
    check_as_program(folder, copy_of(folder, clip, "vp8.ivf"), 60);
  }
  if (const auto clip = test::make_clip(folder, "vp9.webm",
                                        picture + "-c:v libvpx-vp9 -g 100 -auto-alt-ref 6 "
                                                  "-lag-in-frames 25 -b:v 60k -cpu-used 8",
                                        "libvpx-vp9")) {
    check_as_program(folder, *clip, 60);
    check_as_program(folder, copy_of(folder, *clip, "vp9.mkv", "-bsf:v vp9_superframe_split"), 60);
  }
  if (const auto clip = test::make_clip(
          folder, "av1.mkv",
          test::moving_picture("64x48", 10, 16) + "-c:v libaom-av1 -cpu-used 8 -g 100",
          "libaom-av1")) {
    check_as_program(folder, *clip, 16);
    check_as_program(folder, copy_of(folder, *clip, "split.mkv", "-bsf:v av1_frame_split"), 16);
  }
}

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
        check_as_program(folder, *clip, 50);
        check_times(*clip, 25);
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
  CHECK(without_repeats(all_frames(reader)) ==
        without_repeats(test::program_fingerprints(folder, *clip)));
}

TEST_CASE("recorded clips without times of presentation: picture i in place i") {
  VLLAMA_SHARED_FILE(media, "reports/media");
  for (const std::string name : {"xvid_b.avi", "m25.mpg"}) {
    INFO(name);
    const auto means = means_of(media / name);
    REQUIRE(means.size() == 30);
    for (std::size_t i = 0; i < means.size(); ++i)
      check_mean(means[i], 30 + 6 * static_cast<double>(i));
    check_times(media / name, name == "m25.mpg" ? 25 : 10);
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
    const auto clip = written(folder, name, joined);
    check_as_program(folder, clip, 70);
    check_times(clip, 25);
  }
  VLLAMA_SHARED_FILE(clip, "reports/media/joined.ts");
  const auto means = means_of(clip);
  REQUIRE(means.size() == 40);
  for (std::size_t i = 0; i < 20; ++i) {
    check_mean(means[i], 30 + 4 * static_cast<double>(i));
    check_mean(means[20 + i], 150 + 4 * static_cast<double>(i));
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
  check_as_program(folder, written(folder, "joined.ogv", joined), 40);
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
      check_as_program(folder, *clip, std::ssize(expected));
      CHECK(VideoReader(*clip).facts().times_seconds.front() < 0.1);
    }
    // A container that cannot hide anything shows all that the cut took along.
    const auto clip = test::make_clip(folder, "cut.mkv", cut);
    check_as_program(folder, *clip, std::ssize(test::program_fingerprints(folder, *clip)));
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
    const auto clip = written(folder, "cut.ts", read_file(*whole).substr(30 * kTransportPacket));
    const auto expected = test::program_fingerprints(folder, clip);
    CHECK(expected.size() < 60);
    check_as_program(folder, clip, std::ssize(expected));
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
    check_as_program(folder, *clip, 44);
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
