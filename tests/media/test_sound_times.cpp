// The sound of a file lies at the seconds of its pictures: late, interrupted, short, cut, or one of
// several.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <numbers>

#include "core/files.h"
#include "media/audio.h"
#include "tests/media/clips.h"

namespace vllama::test {
namespace {

using media::Waveform;

constexpr std::int64_t kRate = 48000;

Waveform sound_of(const std::filesystem::path& path, double start = 0, double end = 1e9) {
  return media::read_audio(path, {.start_seconds = start, .end_seconds = end});
}

// The first channel as the ffmpeg program plays it beside the pictures, gaps filled; nothing behind
// the sound's end.
std::vector<float> played(const TemporaryFolder& folder, const std::filesystem::path& path) {
  const auto raw = make_clip(folder, "played.raw",
                             "-i '" + path.string() +
                                 "' -map 0:v:0 -f null /dev/null -map 0:a:0 -af "
                                 "aresample=async=1:first_pts=0 -f f32le");
  const std::string bytes = read_file(raw.value());
  std::vector<float> samples(bytes.size() / sizeof(float));
  std::memcpy(samples.data(), bytes.data(), samples.size() * sizeof(float));
  return samples;
}

// Our samples are FFmpeg's, and silence behind them until `seconds`.
void check_played(const TemporaryFolder& folder, const std::filesystem::path& path,
                  double seconds) {
  INFO(path);
  const auto expected = played(folder, path);
  const Waveform sound = sound_of(path);
  REQUIRE(sound.channels.size() == 1);
  const auto& ours = sound.channels[0];
  REQUIRE(ours.size() >= expected.size());
  CHECK(std::equal(expected.begin(), expected.end(), ours.begin()));
  CHECK(
      std::all_of(ours.begin() + std::ssize(expected), ours.end(), [](float x) { return x == 0; }));
  CHECK(static_cast<double>(ours.size()) / kRate == Approx(seconds).margin(0.1));
}

// How often a second the sound passes zero upwards in a stretch of the first channel; 0 where it is
// silent.
double pitch(const Waveform& sound, double start, double end) {
  const auto place = [&](double seconds) {
    return static_cast<std::size_t>(
        std::lround(seconds * static_cast<double>(sound.sample_rate_hz)));
  };
  REQUIRE(place(end) <= sound.channels.at(0).size());
  std::int64_t num_passes = 0;
  for (std::size_t i = place(start) + 1; i < place(end); ++i)
    num_passes += sound.channels[0][i - 1] < -1e-3f && sound.channels[0][i] >= -1e-3f ? 1 : 0;
  return static_cast<double>(num_passes) / (end - start);
}

double seconds_of(const Waveform& sound) {
  return static_cast<double>(sound.num_samples()) / static_cast<double>(sound.sample_rate_hz);
}

struct Kind {
  const char *extension, *video, *audio;
};

constexpr Kind kKinds[] = {
    {"mp4", "libx264", "aac"},       {"mov", "mpeg4", "pcm_s16le"}, {"mkv", "libx264", "flac"},
    {"webm", "libvpx", "libopus"},   {"ts", "libx264", "aac"},      {"mpg", "mpeg2video", "mp2"},
    {"flv", "libx264", "aac"},       {"avi", "mpeg4", "mp3"},       {"asf", "mpeg4", "wmav2"},
    {"mkv", "libx264", "libvorbis"},
};

std::optional<std::filesystem::path> make(const TemporaryFolder& folder, const Kind& kind,
                                          const std::string& sound) {
  return make_clip(folder, std::string("clip.") + kind.extension,
                   moving_picture("64x48", 25, 100) + sound + " -c:v " + kind.video + " -c:a " +
                       kind.audio + " -strict -2");
}

}  // namespace

TEST_CASE("sound that begins late is silent before, as reported") {
  VLLAMA_SHARED_FILE(path, "reports/media/delayed.mkv");
  const Waveform whole = sound_of(path);
  CHECK(seconds_of(whole) == 8);
  CHECK(pitch(whole, 0, 4) == 0);
  CHECK(pitch(whole, 4, 6) == Approx(400).margin(2));
  CHECK(pitch(whole, 6, 8) == Approx(4000).margin(4));
  CHECK(pitch(sound_of(path, 0, 4), 0, 4) == 0);
  CHECK(pitch(sound_of(path, 4, 6), 0, 2) == Approx(400).margin(2));
  CHECK(pitch(sound_of(path, 6, 8), 0, 2) == Approx(4000).margin(4));
  CHECK(pitch(sound_of(path, 3, 5), 0, 1) == 0);
  CHECK(pitch(sound_of(path, 3, 5), 1, 2) == Approx(400).margin(2));
  CHECK(seconds_of(sound_of(path, 3, 5)) == 2);
}

TEST_CASE("late, interrupted and short sounds are silent where they are, in any container") {
  for (const Kind& kind : kKinds) {
    const TemporaryFolder folder;
    for (const std::string sound :
         {"-itsoffset 1.5 -f lavfi -i sine=frequency=400:sample_rate=48000:duration=1.5",
          "-f lavfi -i sine=frequency=400:sample_rate=48000:duration=4 -af "
          "\"aselect='not(between(t,1,2))'\"",
          "-f lavfi -i sine=frequency=400:sample_rate=48000:duration=2"}) {
      const auto path = make(folder, kind, sound);
      if (!path) return;
      INFO(sound);
      check_played(folder, *path, 4);
    }
  }
}

TEST_CASE("a part of a sound is that part of the whole, with the silence around it") {
  for (const Kind& kind : kKinds) {
    const TemporaryFolder folder;
    const auto path = make(
        folder, kind, "-itsoffset 1 -f lavfi -i sine=frequency=400:sample_rate=48000:duration=2");
    if (!path) return;
    INFO(*path);
    const auto whole = sound_of(*path).channels.at(0);
    for (const auto& [start, end] : std::vector<std::pair<std::int64_t, std::int64_t>>{
             {0, 1}, {1, 2}, {0, 2}, {2, 3}, {1, 3}}) {
      const auto part = sound_of(*path, static_cast<double>(start), static_cast<double>(end));
      CHECK(part.channels.at(0) ==
            std::vector<float>(whole.begin() + start * kRate, whole.begin() + end * kRate));
    }
    const Waveform end = sound_of(*path, 3.5, 100);
    CHECK(pitch(end, 0, 0.4) == 0);
    try {
      sound_of(*path, 50, 51);
      FAIL("there is nothing at 50 s");
    } catch (const media::MediaError& error) {
      CHECK(error.reason == media::MediaFailure::empty);
    }
  }
}

TEST_CASE("the sound of a cut without encoding is that of the pictures shown") {
  const TemporaryFolder folder;
  // The pitch tells the second.
  const std::string source =
      moving_picture("64x48", 25, 200) +
      "-f lavfi -i 'aevalsrc=0.3*sin(2*PI*(400+400*floor(t))*t):s=48000:d=8' -c:v libx264 -g 100 ";
  for (const auto& [name, codec] : std::vector<std::pair<std::string, std::string>>{
           {"source.mp4", "-bf 2 -c:a aac"}, {"source.mov", "-bf 0 -c:a pcm_s16le"}}) {
    const auto whole = make_clip(folder, name, source + codec);
    if (!whole) return;
    for (const std::string extension : {"mp4", "mov", "mkv", "ts"}) {
      if (codec.ends_with("pcm_s16le") && (extension == "mp4" || extension == "ts")) continue;
      const auto cut =
          make_clip(folder, "cut." + extension, "-ss 4.7 -i '" + whole->string() + "' -c copy");
      INFO(*cut);
      const bool hides = extension == "mp4" || extension == "mov";
      check_played(folder, *cut, hides ? 3.3 : 4);
      if (!hides) continue;
      CHECK(pitch(sound_of(*cut), 0, 0.3) == Approx(2000).margin(20));
      CHECK(pitch(sound_of(*cut, 0.3, 1.3), 0, 1) == Approx(2400).margin(20));
    }
  }
}

TEST_CASE("the sound of the programme whose pictures are chosen, as reported") {
  VLLAMA_SHARED_FILE(path, "reports/media/programmes.ts");
  CHECK(pitch(sound_of(path), 0.1, 0.6) == Approx(400).margin(4));
}

TEST_CASE("of several sounds the one that is marked as the default") {
  for (const std::string extension : {"mkv", "mp4", "mov"})
    for (const int chosen : {0, 1}) {
      const TemporaryFolder folder;
      const std::string other = std::to_string(1 - chosen);
      const auto path =
          make_clip(folder, "two." + extension,
                    moving_picture("64x48", 25, 50) +
                        "-f lavfi -i sine=frequency=400:duration=2 -f lavfi -i "
                        "sine=frequency=4000:duration=2 "
                        "-map 0 -map 1 -map 2 -c:v libx264 -c:a aac -disposition:a:" +
                        std::to_string(chosen) + " default -disposition:a:" + other +
                        " 0 -b:a:" + other + " 192k -b:a:" + std::to_string(chosen) + " 64k");
      if (!path) return;
      INFO(*path << " " << chosen);
      CHECK(pitch(sound_of(*path), 0.5, 1.5) == Approx(chosen == 0 ? 400 : 4000).margin(5));
    }
}

TEST_CASE("the sound of many joined recordings does not leave the pictures") {
  const TemporaryFolder folder;
  // The sound is longer than the pictures by two thirds of a frame of AAC, and has its padding.
  const auto part =
      make_clip(folder, "part.ts",
                moving_picture("64x48", 25, 25) +
                    "-f lavfi -i "
                    "'aevalsrc=0.3*sin(2*PI*400*t)*between(t\\,0.5\\,0.9):s=48000:d=1.03' "
                    "-c:v libx264 -bf 0 -c:a aac");
  if (!part) return;
  const std::string bytes = read_file(*part);
  std::string whole;
  constexpr int kNumParts = 20;
  for (int i = 0; i < kNumParts; ++i) whole += bytes;
  write_file_atomically(folder.path() / "joined.ts", whole);
  const Waveform sound = sound_of(folder.path() / "joined.ts");
  for (int i = 0; i < kNumParts; ++i) {
    INFO(i);
    CHECK(pitch(sound, i + 0.7, i + 0.85) > 350);  // up to a tenth of a second late
    CHECK(pitch(sound, i + 0.2, i + 0.4) == 0);
  }
}

// Farther than 2^50 samples: times their rate that is more than 64 bits hold.
TEST_CASE("sound that its time stamps place beyond all time is too long") {
  for (const char* rate : {"8000", "16384", "48000"}) {
    INFO(rate);
    const TemporaryFolder folder;
    const auto path = make_clip(
        folder, "far.mkv",
        moving_picture("64x48", 10, 8) + "-f lavfi -i sine=duration=0.8:sample_rate=" + rate +
            " -c:v mpeg4 -c:a pcm_s16le " + "-bsf:a 'setts=ts=if(gt(N\\,3)\\,TS+1e15\\,TS)'");
    if (!path) return;
    auto failure = media::MediaFailure::empty;
    try {
      media::read_audio(*path);
    } catch (const media::MediaError& error) {
      failure = error.reason;
    }
    CHECK(failure == media::MediaFailure::timeout);
  }
}

TEST_CASE("the sound of joined recordings goes on with their pictures") {
  VLLAMA_SHARED_FILE(path, "reports/media/joined.ts");
  CHECK(seconds_of(sound_of(path)) == Approx(4.1).margin(0.15));
  for (const Kind& kind : {Kind{"ts", "libx264", "aac"}, Kind{"mpg", "mpeg2video", "mp2"}}) {
    const TemporaryFolder folder;
    const auto part =
        make(folder, kind, "-f lavfi -i sine=frequency=400:sample_rate=48000:duration=2");
    if (!part) return;
    const std::string bytes = read_file(*part);
    const auto joined = folder.path() / (std::string("joined.") + kind.extension);
    write_file_atomically(joined, bytes + bytes + bytes);
    INFO(joined);
    const Waveform sound = sound_of(joined);
    CHECK(seconds_of(sound) == Approx(12).margin(0.15));
    for (const double part_start : {0.0, 4.0, 8.0}) {
      CHECK(pitch(sound, part_start + 0.2, part_start + 1.9) == Approx(400).margin(4));
      CHECK(pitch(sound, part_start + 2.2, part_start + 3.8) == 0);
    }
  }
}

}  // namespace vllama::test
