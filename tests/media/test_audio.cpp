// Decoding of sound: real codecs, channel layouts, rates, and every way a file can be wrong.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <fstream>
#include <limits>
#include <numeric>

#include "core/files.h"
#include "core/random.h"
#include "media/audio.h"
#include "samples/audio_clips.h"
#include "tests/media/sounds.h"
#include "tests/support/fixtures.h"

using namespace vllama;
using media::MediaFailure;

namespace {

// Values were recorded with FFmpeg 5.1; its decoders sum in another order on other processors.
constexpr double kDecodedTolerance = 1e-5;

void check_decoded(const std::filesystem::path& path, const nlohmann::json& expected) {
  INFO(path);
  const auto sound = media::read_audio(path);
  CHECK(sound.num_lost_packets == 0);
  CHECK(sound.sample_rate_hz == expected["rate"]);
  REQUIRE(static_cast<std::int64_t>(sound.channels.size()) == expected["size"][0]);
  REQUIRE(sound.num_samples() == expected["size"][1]);
  std::vector<float> flat;
  for (const auto& channel : sound.channels)
    flat.insert(flat.end(), channel.begin(), channel.end());
  CHECK(test::largest_difference(flat, expected["exact"]) < kDecodedTolerance);
  const double squares = std::inner_product(flat.begin(), flat.end(), flat.begin(), 0.0);
  CHECK(squares == Approx(expected["sum_of_squares"].get<double>()).epsilon(1e-5));
}

// The name of the failure that reading `path` ends with, or "none".
std::string sound_failure(const std::filesystem::path& path,
                          const media::AudioOptions& options = {}) {
  try {
    media::read_audio(path, options);
  } catch (const media::MediaError& error) {
    CHECK(std::string(error.what()).find(path.filename().string()) != std::string::npos);
    return std::string(media::failure_name(error.reason));
  }
  return "none";
}

std::string sound_failure_of_bytes(const std::string& bytes) {
  const test::TemporaryFolder folder;
  write_file_atomically(folder.path() / "sound", bytes);
  return sound_failure(folder.path() / "sound");
}

// Reads damaged bytes; anything but a sound or a MediaError fails the test.
void survive(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary)
      .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  try {
    const auto sound = media::read_audio(path, {5, std::int64_t{1} << 22});
    for (const auto& channel : sound.channels)
      REQUIRE(static_cast<std::int64_t>(channel.size()) == sound.num_samples());
    const auto clips = samples::audio_clips(sound, {2, samples::Downmix::mean});
    if (!clips) return;
    const float* values = clips->const_data_ptr<float>();
    CHECK(std::all_of(values, values + clips->numel(), [](float x) { return std::isfinite(x); }));
  } catch (const media::MediaError&) {
  }
}

const std::vector<std::string> kMadeFiles = {
    "aac_44k_stereo.m4a", "aac_8k_mono.mp4",   "aac_changing.aac",    "flac_16k_mono.flac",
    "mp3_22k_mono.mp3",   "opus_48k_5.1.webm", "pcm_u8_11k_mono.wav", "pcm_s32_96k_9_channels.wav"};

}  // namespace

TEST_CASE("codecs, rates and channel numbers decode to what FFmpeg's command gives") {
  const auto reference = test::read_json(test::golden_file("audio/mel_media.json"));
  for (const auto& [name, expected] : reference["made"].items())
    check_decoded(test::golden_file("audio/" + name), expected);
}

TEST_CASE("the sound of real clips decodes to what FFmpeg's command gives") {
  const auto reference = test::read_json(test::golden_file("audio/mel_media.json"));
  for (const auto& [name, expected] : reference["fixtures"].items()) {
    VLLAMA_SHARED_FILE(path, "fixtures/media/" + name);
    check_decoded(path, expected);
  }
}

TEST_CASE("float samples arrive as they are, above 1 too") {
  const test::TemporaryFolder folder;
  const std::vector<std::vector<float>> channels = {{0.5f, -1.5f, 1e-8f}, {0, 3, -0.25f}};
  test::write_wav(folder.path() / "a.wav", 44100, channels);
  const auto sound = media::read_audio(folder.path() / "a.wav");
  CHECK(sound.sample_rate_hz == 44100);
  CHECK(sound.channels == channels);
}

TEST_CASE("a change of rate and channels on the way is converted to the beginning's") {
  const auto sound = media::read_audio(test::golden_file("audio/aac_changing.aac"));
  CHECK(sound.sample_rate_hz == 44100);
  REQUIRE(sound.channels.size() == 2);
  CHECK(sound.num_lost_packets == 0);
  // 14 frames of 1024 samples, then 8 at half the rate, of which a converter keeps a few.
  CHECK(sound.num_samples() > 14 * 1024 + 8 * 2048 - 100);
  CHECK(sound.num_samples() <= 14 * 1024 + 8 * 2048);
  const auto& first = sound.channels[0];
  CHECK(*std::max_element(first.begin() + 20000, first.end()) == Approx(0.3).margin(0.15));
}

TEST_CASE("a sound without samples is read, and is absent as clips") {
  const test::TemporaryFolder folder;
  test::write_wav(folder.path() / "none.wav", 16000, {{}});
  const auto sound = media::read_audio(folder.path() / "none.wav");
  CHECK(sound.num_samples() == 0);
  CHECK_FALSE(samples::audio_clips(sound).has_value());

  // FFmpeg takes a WAV file that ends after its header for an empty one.
  const auto wav = read_file(test::golden_file("audio/pcm_u8_11k_mono.wav"));
  write_file_atomically(folder.path() / "header.wav", wav.substr(0, 44));
  CHECK(media::read_audio(folder.path() / "header.wav").num_samples() == 0);
}

TEST_CASE("what is no sound is named") {
  const test::TemporaryFolder folder;
  CHECK(sound_failure(folder.path() / "absent.wav") == "not_found");
  CHECK(sound_failure(folder.path()) == "not_media");
  CHECK(sound_failure_of_bytes("") == "empty");
  CHECK(sound_failure_of_bytes("<html><body>404 Not Found</body></html>") == "not_media");
  CHECK(sound_failure_of_bytes("#EXTM3U\n#EXTINF:1,\nhttp://localhost/a.ts\n") == "not_media");
  CHECK(sound_failure_of_bytes("ffconcat version 1.0\nfile /etc/hostname\n") == "not_media");
}

TEST_CASE("a video without sound, and one that cannot be opened, are named") {
  VLLAMA_SHARED_FILE(silent, "fixtures/media/h265_video.mp4");
  VLLAMA_SHARED_FILE(broken, "fixtures/media/chunk_out_of_range.mp4");
  VLLAMA_SHARED_FILE(picture, "fixtures/media/dog.jpg");
  CHECK(sound_failure(silent) == "no_audio_stream");
  CHECK(sound_failure(broken) == "corrupt");
  CHECK(sound_failure(picture) == "not_media");
}

TEST_CASE("a sound may be neither too long nor take too long") {
  const auto path = test::golden_file("audio/aac_44k_stereo.m4a");
  CHECK(sound_failure(path, {30, 40000}) == "timeout");
  CHECK(sound_failure(path, {30, 80000}) == "none");
  CHECK(sound_failure(path, {0, 80000}) == "timeout");
}

TEST_CASE("rates that no recorder uses and values that are no numbers are corrupt") {
  const test::TemporaryFolder folder;
  const auto path = folder.path() / "odd.wav";
  for (const std::int64_t rate : {1, 999, 768001}) {
    test::write_wav(path, rate, {std::vector<float>(5000, 0.1f)});
    CHECK(sound_failure(path) == "corrupt");
  }
  for (const float value :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(), 1e38f}) {
    std::vector<float> samples(5000, 0.1f);
    samples[4000] = value;
    test::write_wav(path, 16000, {samples});
    CHECK(sound_failure(path) == "corrupt");
  }
}

TEST_CASE("truncated sounds give what is left, without an index they are corrupt") {
  const auto mp3 = read_file(test::golden_file("audio/mp3_22k_mono.mp3"));
  const test::TemporaryFolder folder;
  write_file_atomically(folder.path() / "half.mp3", mp3.substr(0, mp3.size() / 2));
  const auto half = media::read_audio(folder.path() / "half.mp3");
  CHECK(half.num_samples() > 4000);
  CHECK(half.num_samples() < 10000);
  const auto m4a = read_file(test::golden_file("audio/aac_44k_stereo.m4a"));
  CHECK(sound_failure_of_bytes(m4a.substr(0, m4a.size() / 2)) ==
        "corrupt");  // its index is at the end
}

TEST_CASE("undecodable packets are counted, and too many of them end the reading") {
  const auto whole = read_file(test::golden_file("audio/aac_44k_stereo.m4a"));
  const std::size_t data = whole.find("mdat") + 4;
  const test::TemporaryFolder folder;
  const auto path = folder.path() / "damaged.m4a";

  auto one = whole;
  std::fill_n(one.begin() + static_cast<std::ptrdiff_t>(data) + 2000, 40, '\xff');
  write_file_atomically(path, one);
  const auto sound = media::read_audio(path);
  CHECK(sound.num_lost_packets >= 1);
  CHECK(sound.num_lost_packets <= 4);

  auto half = whole;
  std::fill_n(half.begin() + static_cast<std::ptrdiff_t>(data), 2200, '\xff');
  write_file_atomically(path, half);
  CHECK(sound_failure(path) == "too_many_concealed");

  auto all = whole;
  std::fill_n(all.begin() + static_cast<std::ptrdiff_t>(data), 4200, '\xff');
  write_file_atomically(path, all);
  CHECK(sound_failure(path) != "none");
}

TEST_CASE("truncation anywhere and random damage never do more than fail") {
  const test::TemporaryFolder folder;
  RandomStream random(random_key({6, 1}));
  for (const auto& name : kMadeFiles) {
    INFO(name);
    const auto whole = read_file(test::golden_file("audio/" + name));
    const auto path = folder.path() / name;
    for (std::size_t part = 0; part < 16; ++part)
      survive(path, whole.substr(0, whole.size() * part / 16 + part));
    for (int round = 0; round < 40; ++round) {
      auto damaged = whole;
      // Half of the damage goes to the first bytes, where the headers of most formats lie.
      const std::size_t reach =
          round % 2 == 0 ? damaged.size() : std::min<std::size_t>(damaged.size(), 400);
      for (std::uint64_t i = 0; i <= random.below(8); ++i)
        damaged[random.below(reach)] = static_cast<char>(random.below(256));
      survive(path, damaged);
    }
  }
}
