// Media that are a part of a file: read exactly as if they were files of their own.
#include <fcntl.h>
#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <numeric>

#include "core/files.h"
#include "core/hash.h"
#include "media/audio.h"
#include "media/error.h"
#include "media/video.h"
#include "tests/media/clips.h"

using namespace vllama;
using media::FileRange;
using media::MediaError;
using media::MediaFailure;
using media::OpenRange;
namespace fs = std::filesystem;

namespace {

// All frames, sound, or picture of a file as text, or why it has none.
std::string everything_in(const FileRange& file) {
  std::string text;
  const auto add = [&](const auto& read) {
    try {
      text.append(read()).append("\n");
    } catch (const MediaError& error) {
      text.append(media::failure_name(error.reason)).append("\n");
      CHECK_THAT(error.what(), Catch::Contains(file.name()));
    }
  };
  add([&] {
    media::VideoReader reader(file);
    std::vector<std::int64_t> indices(static_cast<std::size_t>(reader.facts().num_frames));
    std::iota(indices.begin(), indices.end(), 0);
    const auto& facts = reader.facts();
    std::string frames = facts.codec + std::to_string(facts.frames_per_second) +
                         std::to_string(facts.width) + std::to_string(facts.audio_sample_rate);
    const auto decoded = reader.frames(indices, media::FrameSize{48, 32});
    for (const auto& image : decoded.images)
      frames.append(" ").append(std::to_string(test::fingerprint(image)));
    return frames + " concealed " + std::to_string(decoded.num_concealed);
  });
  add([&] {
    const auto sound = media::read_audio(file);
    std::string samples = std::to_string(sound.sample_rate_hz);
    for (const auto& channel : sound.channels)
      samples.append(" ").append(std::to_string(
          fnv1a({reinterpret_cast<const char*>(channel.data()), channel.size() * sizeof(float)})));
    return samples + " lost " + std::to_string(sound.num_lost_packets);
  });
  add([&] { return std::to_string(test::fingerprint(media::read_image(file))); });
  return text;
}

// The files, one behind the other, with something in front and behind; each as a range.
std::vector<FileRange> embed(const std::vector<fs::path>& files, const fs::path& archive) {
  std::ofstream output(archive, std::ios::binary);
  output << "in front";
  std::vector<FileRange> ranges;
  for (const fs::path& file : files) {
    const std::string content = read_file(file);
    ranges.emplace_back(archive, file.filename().string(),
                        static_cast<std::int64_t>(output.tellp()), std::ssize(content));
    output << content;
  }
  output << "behind";
  return ranges;
}

MediaFailure failure_of(const FileRange& range) {
  try {
    OpenRange{range};
  } catch (const MediaError& error) {
    return error.reason;
  }
  FAIL("no error");
  return {};
}

}  // namespace

TEST_CASE("every real file reads the same as a part of another file") {
  VLLAMA_SHARED_FILE(folder, "fixtures/media");
  const test::TemporaryFolder work;
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder))
    if (entry.is_regular_file()) files.push_back(entry.path());
  // One that ends early must not go on with the bytes of its neighbour.
  fs::copy_file(folder / "boat.mp4", work.path() / "half.mp4");
  fs::resize_file(work.path() / "half.mp4", fs::file_size(folder / "boat.mp4") / 2);
  fs::copy_file(folder / "dog.jpg", work.path() / "half.jpg");
  fs::resize_file(work.path() / "half.jpg", fs::file_size(folder / "dog.jpg") / 2);
  files.insert(files.begin(), {work.path() / "half.mp4", work.path() / "half.jpg"});
  const auto ranges = embed(files, work.path() / "all.tar");
  for (std::size_t i = 0; i < files.size(); ++i) {
    INFO(files[i]);
    CHECK(everything_in(ranges[i]) == everything_in(files[i]));
  }
}

TEST_CASE("containers of every kind read the same as a part of another file") {
  const test::TemporaryFolder folder;
  const std::string picture = test::moving_picture("64x48", 10, 20);
  const std::string sound = "-f lavfi -i sine=frequency=440:duration=1 ";
  std::vector<fs::path> files;
  const auto make = [&](const std::string& name, const std::string& arguments) {
    if (const auto file = test::make_clip(folder, name, arguments)) files.push_back(*file);
  };
  make("end.mp4", picture + sound + "-c:v mpeg4 -c:a aac -shortest");  // its index is at the end
  make("a.mkv", picture + "-c:v mpeg4 -g 5");
  make("a.avi", picture + "-c:v mjpeg");
  make("a.ts", picture + "-c:v mpeg2video");
  make("a.mpg", picture + "-r 25 -c:v mpeg1video");
  make("a.gif", picture);
  make("a.png", picture + "-frames:v 1");
  make("a.bmp", picture + "-frames:v 1");
  make("a.flac", sound);
  make("a.mp3", sound);
  make("a.ogg", sound + "-c:a flac");
  make("a.aac", sound);
  if (files.empty()) return;  // make_clip() said why
  const auto ranges = embed(files, folder.path() / "all.tar");
  for (std::size_t i = 0; i < files.size(); ++i) {
    INFO(files[i]);
    const std::string loose = everything_in(files[i]);
    CHECK(loose.find_first_of("0123456789") != std::string::npos);  // no name of a failure has one
    CHECK(everything_in(ranges[i]) == loose);
  }
}

TEST_CASE("clips that are read twice are read twice from their part of a file") {
  VLLAMA_SHARED_FILE(clip, "fixtures/media/boat.mp4");
  const test::TemporaryFolder work;
  const auto range = embed({clip, clip}, work.path() / "two.tar").at(1);
  const std::int64_t indices[] = {170, 3, 90};
  const media::VideoOptions options{.packet_memory_bytes = 0};
  const auto expected = media::VideoReader(clip).frames(indices).images;
  const auto images = media::VideoReader(range, options).frames(indices).images;
  for (std::size_t i = 0; i < 3; ++i) CHECK(images[i].rgb == expected[i].rgb);
}

TEST_CASE("ranges that cannot be read are typed errors that name shard and member") {
  const test::TemporaryFolder folder;
  const fs::path file = folder.path() / "a.tar";
  std::ofstream(file) << "0123456789";
  CHECK(OpenRange(FileRange(file, "m", 2, 8)).read_first(100) == "23456789");
  CHECK(OpenRange(FileRange(file, "m", 2, 3)).read_first(2) == "23");
  CHECK(OpenRange(file).read_first(100) == "0123456789");
  CHECK(FileRange(file, "m", 2, 8).name() == file.string() + ":m");

  constexpr std::int64_t kMost = INT64_MAX;
  for (const auto& [begin, length] : std::vector<std::pair<std::int64_t, std::int64_t>>{
           {2, 9}, {11, 1}, {kMost, 1}, {1, kMost}, {kMost, kMost}, {-1, 2}, {0, -1}, {-kMost, 1}})
    CHECK(failure_of({file, "m", begin, length}) == MediaFailure::corrupt);
  CHECK(failure_of({file, "m", 2, 0}) == MediaFailure::empty);
  CHECK(failure_of(FileRange::absent(file, "m")) == MediaFailure::not_found);
  CHECK(failure_of(folder.path() / "none") == MediaFailure::not_found);
  CHECK(failure_of(folder.path()) == MediaFailure::not_media);
  mkfifo((folder.path() / "pipe").c_str(), 0600);
  CHECK(failure_of(folder.path() / "pipe") == MediaFailure::not_media);
  CHECK_THROWS_WITH(
      OpenRange(FileRange::absent("shards/{0..9}.tar", "x.mp4")),
      Catch::Contains("shards/{0..9}.tar:x.mp4") && Catch::Contains("no such member"));

  const OpenRange opened(FileRange(file, "m", 2, 8));
  std::byte bytes[4];
  CHECK(opened.read_at(6, bytes) == 2);
  CHECK(opened.read_at(8, bytes) == 0);
  CHECK(opened.read_at(kMost, bytes) == 0);
  CHECK(opened.read_at(-1, bytes) == 0);
  fs::resize_file(file, 5);
  CHECK(opened.read_at(0, bytes) == 3);
  CHECK_THROWS_WITH(opened.read_first(8),
                    Catch::Contains("a.tar:m'") && Catch::Contains("shorter"));
}

TEST_CASE("a part of a file may lie behind four gigabytes") {
  VLLAMA_SHARED_FILE(clip, "fixtures/media/dog.jpg");
  const test::TemporaryFolder folder;
  const fs::path file = folder.path() / "large.tar";
  const std::string content = read_file(clip);
  constexpr std::int64_t kBegin = (std::int64_t{5} << 30) + 512;
  {
    std::ofstream output(file, std::ios::binary);
    output.seekp(kBegin);
    output << content;
  }
  const auto image = media::read_image(FileRange(file, "dog.jpg", kBegin, std::ssize(content)));
  CHECK(image.rgb == media::read_image(clip).rgb);
}
