// Damaged and foreign files: typed errors, replaced frames, and never a crash or a hang.
#include <algorithm>
#include <catch2/catch.hpp>
#include <chrono>
#include <fstream>
#include <functional>

#include "core/files.h"
#include "core/random.h"
#include "media/error.h"
#include "media/ffmpeg.h"
#include "media/video.h"
#include "tests/media/clips.h"

using namespace vllama;
using media::MediaError;
using media::MediaFailure;
using media::VideoReader;

namespace {

constexpr media::FrameSize kDamagedSize{32, 32};

MediaFailure failure_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const MediaError& error) {
    return error.reason;
  }
  FAIL("no error");
  return {};
}

MediaFailure failure_for(const std::filesystem::path& path) {
  INFO(path);
  return failure_of([&] { VideoReader reader(path); });
}

std::filesystem::path write(const test::TemporaryFolder& folder, const std::string& name,
                            const std::string& content) {
  const auto path = folder.path() / name;
  std::ofstream(path, std::ios::binary) << content;
  return path;
}

// Twenty frames of which each decodes by itself.
std::optional<std::filesystem::path> make_intra_clip(const test::TemporaryFolder& folder) {
  return test::make_clip(folder, "intra.mp4",
                         test::moving_picture("64x48", 10, 20) + "-c:v libx264 -g 1", "libx264");
}

// Overwrites the compressed frames with these numbers.
void damage_packets(const std::filesystem::path& path, const std::vector<int>& numbers) {
  std::string content = read_file(path);
  AVFormatContext* raw = nullptr;
  media::check(avformat_open_input(&raw, path.c_str(), nullptr, nullptr), "open");
  const media::FormatContext format(raw);
  const auto packet = media::make_packet();
  for (int number = 0; av_read_frame(format.get(), packet.get()) >= 0; ++number) {
    if (std::find(numbers.begin(), numbers.end(), number) != numbers.end())
      std::fill_n(content.begin() + packet->pos, packet->size, '\x5a');
    av_packet_unref(packet.get());
  }
  write_file_atomically(path, content);
}

// Opens a file and decodes some frames of it: fine, or a typed error, but nothing else.
void survive(const std::filesystem::path& path) {
  try {
    VideoReader reader(path, {.time_limit_seconds = 5});
    const std::int64_t last = reader.facts().num_frames - 1;
    REQUIRE(last >= 0);
    const auto frames = reader.frames(std::vector<std::int64_t>{0, last / 2, last}, kDamagedSize);
    CHECK(frames.images.size() == 3);
    for (const auto& image : frames.images) CHECK(image.rgb.size() == 32 * 32 * 3);
  } catch (const MediaError&) {
  }
}

}  // namespace

TEST_CASE("what is not a video is a typed error") {
  const test::TemporaryFolder folder;
  CHECK(failure_for(folder.path() / "none.mp4") == MediaFailure::not_found);
  CHECK(failure_for(folder.path()) == MediaFailure::not_media);
  CHECK(failure_for("/dev/zero") == MediaFailure::not_media);
  CHECK(failure_for(write(folder, "zero.mp4", "")) == MediaFailure::empty);
  CHECK(failure_for(write(folder, "page.mp4",
                          "<!DOCTYPE html>\n<html><body>404 Not Found</body></html>\n")) ==
        MediaFailure::not_media);
  CHECK(failure_for(write(folder, "text.mp4", std::string(5000, 'a'))) == MediaFailure::not_media);
  CHECK(failure_for(write(folder, "zeros.mp4", std::string(5000, '\0'))) ==
        MediaFailure::not_media);
  VLLAMA_SHARED_FILE(picture, "fixtures/media/Statue_of_Liberty.jpg");
  CHECK(failure_for(write(folder, "picture.mp4", read_file(picture))) == MediaFailure::not_media);
  VLLAMA_SHARED_FILE(audio, "fixtures/media/audio_only_opus.mp4");
  CHECK(failure_for(audio) == MediaFailure::no_video_stream);
  VLLAMA_SHARED_FILE(broken, "fixtures/media/chunk_out_of_range.mp4");
  CHECK(failure_for(broken) == MediaFailure::corrupt);
  CHECK_THROWS_WITH(VideoReader(broken), Catch::Contains("chunk_out_of_range.mp4"));
}

TEST_CASE("a file never makes the reader open another") {
  VLLAMA_SHARED_FILE(clip, "fixtures/media/video_0.mov");
  const std::string target = std::filesystem::absolute(clip).string();
  const test::TemporaryFolder folder;
  CHECK(failure_for(write(folder, "list.mp4", "ffconcat version 1.0\nfile '" + target + "'\n")) ==
        MediaFailure::not_media);
  CHECK(failure_for(write(folder, "list.m3u8",
                          "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:9,\n" + target +
                              "\n#EXT-X-ENDLIST\n")) == MediaFailure::not_media);
  CHECK(failure_for("concat:" + target) == MediaFailure::not_found);
  CHECK(failure_for("http://127.0.0.1:9/clip.mp4") == MediaFailure::not_found);
}

TEST_CASE("an attached picture is not a video") {
  const test::TemporaryFolder folder;
  const auto cover = test::make_clip(folder, "cover.png", test::moving_picture("64x64", 1, 1));
  if (!cover) return;
  for (const std::string name : {"song.mp3", "song.m4a"}) {
    const auto song = test::make_clip(folder, name,
                                      "-f lavfi -i sine=duration=1 -i '" + cover->string() +
                                          "' -map 0 -map 1 -c:v mjpeg -disposition:v attached_pic");
    if (song) CHECK(failure_for(*song) == MediaFailure::no_video_stream);
  }
}

TEST_CASE("an encrypted clip is a typed error") {
  const test::TemporaryFolder folder;
  const auto clip =
      test::make_clip(folder, "secret.mp4",
                      test::moving_picture("64x48", 10, 10) +
                          "-c:v libx264 -encryption_scheme cenc-aes-ctr -encryption_key "
                          "76a6c65c5ea762046bd749a2e632ccbb -encryption_kid "
                          "a7e61c373e219033c21091fa607bf3b8",
                      "libx264");
  if (clip) CHECK(failure_for(*clip) == MediaFailure::encrypted);
}

TEST_CASE("a header without frames is corrupt") {
  const test::TemporaryFolder folder;
  const auto clip = test::make_clip(
      folder, "start.mp4",
      test::moving_picture("64x48", 10, 10) + "-c:v libx264 -movflags +faststart", "libx264");
  if (!clip) return;
  const std::string content = read_file(*clip);
  const auto data = content.find("mdat");
  REQUIRE(data != std::string::npos);
  CHECK(failure_for(write(folder, "cut.mp4", content.substr(0, data + 4))) ==
        MediaFailure::corrupt);
  const auto fragmented = test::make_clip(
      folder, "fragments.mp4",
      test::moving_picture("64x48", 10, 10) + "-c:v libx264 -movflags empty_moov+frag_keyframe",
      "libx264");
  const std::string fragments = read_file(*fragmented);
  CHECK(failure_for(write(folder, "init.mp4", fragments.substr(0, fragments.find("moof") - 4))) ==
        MediaFailure::corrupt);
}

TEST_CASE("a frame that does not decode is replaced by the nearest earlier one, and counted") {
  VLLAMA_SHARED_FILE(clip, "fixtures/media/corrupted.mp4");
  VideoReader reader(clip);
  REQUIRE(reader.facts().num_frames == 50);
  // Frame 30 is the one whose packet is damaged.
  const auto frames =
      reader.frames(std::vector<std::int64_t>{0, 29, 30, 31, 40, 41, 42, 49}, kDamagedSize);
  CHECK(frames.num_concealed == 1);
  CHECK(test::fingerprint(frames.images[2]) == test::fingerprint(frames.images[1]));
  const auto alone = [&] { reader.frames(std::vector<std::int64_t>{30}); };
  CHECK(failure_of(alone) == MediaFailure::too_many_concealed);
  CHECK(reader.frames(std::vector<std::int64_t>{0, 6, 12, 18, 25, 31, 37, 43}).num_concealed == 0);
}

TEST_CASE("replacements come from before, at the start of a clip from behind") {
  const test::TemporaryFolder folder;
  const auto clip = make_intra_clip(folder);
  if (!clip) return;
  const auto whole = test::plain_fingerprints(*clip, 20);
  damage_packets(*clip, {0, 1, 10, 11});
  VideoReader reader(*clip);
  REQUIRE(reader.facts().num_frames == 20);
  const auto request = [&](std::int64_t wanted) {
    std::vector<std::int64_t> indices{2, 3, 4, 5, 6, 7, 8};  // all fine
    indices.push_back(wanted);
    const auto frames = reader.frames(indices);
    CHECK(frames.num_concealed == 1);
    return test::fingerprint(frames.images.back());
  };
  CHECK(request(0) == whole[2]);
  CHECK(request(1) == whole[2]);
  CHECK(request(10) == whole[9]);
  CHECK(request(11) == whole[9]);
  const auto two_of_eight = [&] {
    reader.frames(std::vector<std::int64_t>{0, 2, 3, 4, 5, 6, 7, 10});
  };
  CHECK(failure_of(two_of_eight) == MediaFailure::too_many_concealed);
}

TEST_CASE("a clip of which nothing decodes is corrupt") {
  const test::TemporaryFolder folder;
  const auto clip = make_intra_clip(folder);
  if (!clip) return;
  std::vector<int> all(20);
  for (int i = 0; i < 20; ++i) all[static_cast<std::size_t>(i)] = i;
  damage_packets(*clip, all);
  VideoReader reader(*clip);
  CHECK(failure_of([&] { reader.frames(std::vector<std::int64_t>{3}); }) == MediaFailure::corrupt);
}

TEST_CASE("work on a clip stops at the time limit") {
  VLLAMA_SHARED_FILE(clip, "fixtures/media/skateboarding_dog.mp4");
  CHECK(failure_of([&] {
          VideoReader reader(clip, {.time_limit_seconds = 0.02});
          reader.frames(std::vector<std::int64_t>{0, 100, 200, 400});
        }) == MediaFailure::timeout);
  CHECK(failure_of([&] { VideoReader reader(clip, {.time_limit_seconds = 1e-6}); }) ==
        MediaFailure::timeout);
}

TEST_CASE("sizes and counts that a header lies about do no harm") {
  const test::TemporaryFolder folder;
  const auto clip = test::make_clip(
      folder, "clip.mp4", test::moving_picture("64x48", 10, 10) + "-c:v libx264", "libx264");
  if (!clip) return;
  const std::string content = read_file(*clip);
  const auto patched = [&](const std::string& atom, std::size_t offset, const std::string& bytes) {
    std::string changed = content;
    const auto at = changed.find(atom);
    REQUIRE(at != std::string::npos);
    changed.replace(at + atom.size() + offset, bytes.size(), bytes);
    survive(write(folder, atom + ".mp4", changed));
  };
  patched("avc1", 24, "\xff\xff\xff\xff");          // width and height
  patched("stsz", 8, "\x7f\xff\xff\xff");           // number of frames
  patched("stsz", 4, "\x7f\xff\xff\xff");           // bytes of every frame
  patched("stts", 8, "\x7f\xff\xff\xff");           // number of frames of one duration
  patched("stco", 8, "\xff\xff\xff\xff");           // place of the first frame
  patched("stsc", 12, "\x7f\xff\xff\xff");          // frames in a chunk
  patched("mdhd", 12, std::string("\0\0\0\0", 4));  // time scale
}

TEST_CASE("a clip cut short anywhere decodes or is a typed error") {
  const test::TemporaryFolder folder;
  for (const std::string name : {"tail.mp4", "front.mp4", "clip.mkv", "clip.avi", "clip.ts"}) {
    const auto clip =
        test::make_clip(folder, name,
                        test::moving_picture("64x48", 10, 12) + "-c:v libx264 -bf 2 -g 6 " +
                            (name == "front.mp4" ? "-movflags +faststart" : ""),
                        "libx264");
    if (!clip) return;
    const std::string content = read_file(*clip);
    for (std::size_t length = 1; length < content.size(); length += 1 + content.size() / 60) {
      INFO(name << " cut to " << length << " of " << content.size() << " bytes");
      survive(write(folder, "cut", content.substr(0, length)));
    }
  }
}

TEST_CASE("a clip with flipped bits decodes or is a typed error") {
  const test::TemporaryFolder folder;
  const auto start = std::chrono::steady_clock::now();
  const std::pair<std::string, std::string> kinds[] = {
      {"clip.mp4", "libx264"}, {"clip.mkv", "libx264"},     {"clip.avi", "mpeg4"},
      {"hevc.mp4", "libx265"}, {"clip.webm", "libvpx-vp9"}, {"clip.gif", "gif"}};
  for (const auto& [name, encoder] : kinds) {
    const auto clip = test::make_clip(
        folder, name, test::moving_picture("64x48", 10, 8) + "-g 4 -c:v " + encoder, encoder);
    if (!clip) continue;
    const std::string content = read_file(*clip);
    for (std::uint64_t round = 0; round < 60; ++round) {
      RandomStream random(random_key({99, round}));
      std::string changed = content;
      // Headers deserve more than their share: half of the rounds change the first bytes only.
      const std::size_t range =
          round % 2 == 0 ? content.size() : std::min<std::size_t>(content.size(), 600);
      for (std::uint64_t i = 0; i <= random.below(12); ++i)
        changed[random.below(range)] ^= static_cast<char>(1u << random.below(8));
      INFO(name << " round " << round);
      survive(write(folder, "flipped", changed));
    }
  }
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(60));
}
