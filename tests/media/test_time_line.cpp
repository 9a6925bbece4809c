// Pictures and sound on one line of time: joined recordings, and the zero of a file.
#include <algorithm>
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "core/files.h"
#include "media/input.h"
#include "tests/media/clips.h"

namespace vllama::test {
namespace {

// The times of a stream's packets in seconds of the file's line, sorted; those without are left
// out.
std::vector<double> times_of(const std::filesystem::path& path, AVMediaType type) {
  media::Input input(path, media::Deadline(30));
  const AVStream& stream = input.select_stream(type);
  std::vector<double> times;
  media::Packet packet = media::make_packet();
  while (input.read(*packet))
    if (packet->pts != AV_NOPTS_VALUE)
      times.push_back(static_cast<double>(packet->pts) * av_q2d(stream.time_base) -
                      input.zero_seconds());
  std::sort(times.begin(), times.end());
  return times;
}

constexpr double kTick = 2.0 / 90000;  // of transport and program streams, rounded twice

void check_steady(const std::vector<double>& times, double step, std::size_t count) {
  REQUIRE(times.size() == count);
  for (std::size_t i = 1; i < count; ++i)
    CHECK(std::abs(times[i] - times[0] - static_cast<double>(i) * step) <= kTick);
}

std::string picture_and_tone(int num_frames, double sound_seconds, const std::string& options) {
  return moving_picture("64x48", 25, num_frames) +
         "-f lavfi -i sine=frequency=400:sample_rate=48000:duration=" +
         std::to_string(sound_seconds) + " " + options;
}

std::filesystem::path joined(const TemporaryFolder& folder, const std::string& name,
                             const std::vector<std::filesystem::path>& parts) {
  std::string bytes;
  for (const auto& part : parts) bytes += read_file(part);
  write_file_atomically(folder.path() / name, bytes);
  return folder.path() / name;
}

}  // namespace

TEST_CASE("the times of joined recordings go on where they begin anew") {
  VLLAMA_SHARED_FILE(reported, "reports/media/joined.ts");
  check_steady(times_of(reported, AVMEDIA_TYPE_VIDEO), 0.1, 40);
  const auto sound = times_of(reported, AVMEDIA_TYPE_AUDIO);
  CHECK(std::is_sorted(sound.begin(), sound.end()));
  CHECK(sound.back() - sound.front() > 3.8);
  CHECK(sound.back() - sound.front() < 4.2);
}

TEST_CASE("joined recordings with and without reordered pictures, in streams of both kinds") {
  struct Kind {
    std::string extension, options;
  };
  for (const Kind& kind :
       {Kind{"ts", "-c:v libx264 -c:a aac"}, Kind{"ts", "-c:v mpeg2video -c:a mp2"},
        Kind{"mpg", "-c:v mpeg2video -c:a mp2"}}) {
    const TemporaryFolder folder;
    const std::string end = "." + kind.extension;
    const auto reordered =
        make_clip(folder, "a" + end, picture_and_tone(40, 1.6, kind.options + " -bf 2"));
    const auto plain =
        make_clip(folder, "b" + end, picture_and_tone(30, 1.2, kind.options + " -bf 0"));
    if (!reordered || !plain) return;
    INFO(kind.extension << " " << kind.options);
    const auto alone = times_of(*plain, AVMEDIA_TYPE_VIDEO);
    const auto alone_sound = times_of(*plain, AVMEDIA_TYPE_AUDIO);
    for (const auto& parts : std::vector<std::vector<std::filesystem::path>>{
             {*plain, *reordered}, {*plain, *plain, *plain}, {*reordered, *plain}}) {
      const auto whole = joined(folder, "whole" + end, parts);
      const auto pictures = times_of(whole, AVMEDIA_TYPE_VIDEO);
      const bool all_have_times = kind.extension != "mpg";
      if (all_have_times) check_steady(pictures, 0.04, parts.size() == 3 ? 90 : 70);
      CHECK(std::adjacent_find(pictures.begin(), pictures.end()) == pictures.end());
      // The sound moves with the pictures: their distance stays what it is in the last part alone.
      const auto sound = times_of(whole, AVMEDIA_TYPE_AUDIO);
      if (parts.back() == *plain)
        CHECK(std::abs((sound.back() - pictures.back()) - (alone_sound.back() - alone.back())) <=
              kTick);
    }
  }
}

TEST_CASE("a recording whose clock jumps forward goes on, a pause stays") {
  const TemporaryFolder folder;
  const std::string options = "-c:v libx264 -c:a aac -bf 0 ";
  const auto early = make_clip(folder, "a.ts", picture_and_tone(25, 1, options));
  const auto late =
      make_clip(folder, "b.ts", picture_and_tone(25, 1, options + "-output_ts_offset 5000"));
  const auto soon =
      make_clip(folder, "c.ts", picture_and_tone(25, 1, options + "-output_ts_offset 5"));
  if (!early || !late || !soon) return;
  check_steady(times_of(joined(folder, "jump.ts", {*early, *late}), AVMEDIA_TYPE_VIDEO), 0.04, 50);
  check_steady(times_of(joined(folder, "back.ts", {*late, *early}), AVMEDIA_TYPE_VIDEO), 0.04, 50);
  const auto paused = times_of(joined(folder, "pause.ts", {*early, *soon}), AVMEDIA_TYPE_VIDEO);
  REQUIRE(paused.size() == 50);
  CHECK(paused[25] - paused[0] == Approx(5).margin(0.04));  // the muxer's own start differs
}

TEST_CASE("the zero of a file is where its pictures or its sound begin") {
  const TemporaryFolder folder;
  const auto late_sound =
      make_clip(folder, "sound.mkv",
                moving_picture("64x48", 25, 50) +
                    "-itsoffset 0.5 -f lavfi -i sine=frequency=400:duration=1 -c:v libx264 -bf 0 "
                    "-c:a pcm_s16le");
  const auto late_pictures =
      make_clip(folder, "pictures.mkv",
                "-itsoffset 0.4 " + moving_picture("64x48", 25, 50) +
                    "-f lavfi -i sine=frequency=400:duration=1 -c:v libx264 -bf 0 -c:a pcm_s16le");
  if (!late_sound || !late_pictures) return;
  CHECK(times_of(*late_sound, AVMEDIA_TYPE_VIDEO).front() == Approx(0).margin(1e-9));
  CHECK(times_of(*late_sound, AVMEDIA_TYPE_AUDIO).front() == Approx(0.5).margin(1e-3));
  CHECK(times_of(*late_pictures, AVMEDIA_TYPE_VIDEO).front() == Approx(0.4).margin(1e-3));
  CHECK(times_of(*late_pictures, AVMEDIA_TYPE_AUDIO).front() == Approx(0).margin(1e-9));
}

TEST_CASE("the sound belongs to the programme of the pictures") {
  const TemporaryFolder folder;
  // The sound of the small pictures comes first, has more channels, and more data.
  const auto made = make_clip(
      folder, "two.ts",
      "-f lavfi -i sine=frequency=4000:duration=2 " + moving_picture("64x48", 25, 50) +
          moving_picture("320x240", 25, 50) + "-f lavfi -i sine=frequency=400:duration=2 " +
          "-map 0 -map 1 -map 2 -map 3 -c:v mpeg2video -c:a mp2 -b:a:0 256k -b:a:1 64k -ac:a:0 2 "
          "-ac:a:1 1 -program title=B:st=0:st=1 -program title=A:st=2:st=3");
  if (!made) return;
  media::Input input(*made, media::Deadline(30));
  const AVStream* pictures = input.find_stream(AVMEDIA_TYPE_VIDEO);
  const AVStream* sound = input.find_stream(AVMEDIA_TYPE_AUDIO);
  REQUIRE(pictures != nullptr);
  REQUIRE(sound != nullptr);
  const AVProgram* of_pictures =
      av_find_program_from_stream(&input.format(), nullptr, pictures->index);
  const AVProgram* of_sound = av_find_program_from_stream(&input.format(), nullptr, sound->index);
  CHECK(of_pictures == of_sound);
}

TEST_CASE("pictures whose programme has no sound have none, whatever other programmes have") {
  const TemporaryFolder folder;
  const auto made = make_clip(
      folder, "two.ts",
      "-f lavfi -i sine=frequency=4000:duration=2 " + moving_picture("64x48", 25, 2) +
          moving_picture("320x240", 25, 50) +
          "-map 2 -map 0 -map 1 -c:v mpeg2video -c:a mp2 -program title=B:st=1:st=2 -program "
          "title=A:st=0");
  if (!made) return;
  media::Input input(*made, media::Deadline(30));
  CHECK(input.find_stream(AVMEDIA_TYPE_VIDEO)->codecpar->width == 320);
  CHECK(input.find_stream(AVMEDIA_TYPE_AUDIO) == nullptr);
}

}  // namespace vllama::test
