// What the model gets of media files: frames, sound, or both, whole or a part.
#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>
#include <limits>

#include "core/error.h"
#include "core/files.h"
#include "media/audio.h"
#include "media/error.h"
#include "media/image.h"
#include "media/video.h"
#include "media/write_jpeg.h"
#include "samples/audio_clips.h"
#include "samples/media_builder.h"
#include "samples/media_rules.h"
#include "samples/resize_image.h"
#include "samples/whole_sound.h"
#include "tests/support/fixtures.h"
#include "tests/support/model_input.h"
#include "text/time_message.h"

namespace vllama::samples {
namespace {

using Catch::Matchers::Contains;
using media::MediaFailure;

const test::BranchSizes kVision{.image_size = 28, .num_tokens = 5, .max_positions = 32};
const test::BranchSizes kAudio{.image_size = 42, .num_tokens = 3, .max_positions = 8};
const ModelInput kVisionModel = test::vision_input(kVision);
const ModelInput kAudioModel = test::audio_input(kAudio);
const ModelInput kBoth = test::both_inputs(kVision, kAudio);

MediaConfig set_with(const std::string& inputs) {
  MediaConfig set;
  set.inputs = *config::value_named<Inputs>(inputs);
  set.transform = Transform::eval;
  return set;
}

BuiltMedium build(const MediaFile& file, const ModelInput& model,
                  const std::string& inputs = "auto") {
  StageSeconds seconds;
  return MediaBuilder("set", set_with(inputs), {}, model).build(file, {}, 0, seconds);
}

// What a model is given, and through which encoder.
using Routes = std::vector<std::pair<MediaKind, std::size_t>>;
Routes routes(const BuiltMedium& medium) {
  Routes routes;
  for (const auto& input : medium.inputs) routes.emplace_back(input.kind, input.encoder);
  return routes;
}

MediaFailure failure_of(const MediaFile& file, const ModelInput& model,
                        const std::string& inputs = "auto") {
  try {
    build(file, model, inputs);
  } catch (const media::MediaError& error) {
    return error.reason;
  }
  FAIL("a medium that cannot be used was used");
  return MediaFailure::corrupt;
}

bool same_values(const at::Tensor& a, const at::Tensor& b) {
  return a.nbytes() == b.nbytes() &&
         std::memcmp(a.const_data_ptr(), b.const_data_ptr(), a.nbytes()) == 0;
}

// The pictures of vfr.mp4 tell their times: luma 16 + 10 t, of which 16 and 235 are black and
// white. Scaling rounds down by up to two levels; pictures differ by 0.6 in its second half.
void check_pictures(const at::Tensor& frames_FHWC, const std::vector<double>& times_seconds) {
  for (std::size_t i = 0; i < times_seconds.size(); ++i) {
    const auto* pixels = static_cast<const std::uint8_t*>(
        frames_FHWC[static_cast<std::int64_t>(i)].const_data_ptr());
    CHECK(double(pixels[0]) == Approx(10 * times_seconds[i] * 255 / 219).margin(3));
  }
}

}  // namespace

TEST_CASE("a model gets of a file what its branches take") {
  VLLAMA_SHARED_FILE(media, "fixtures/media");
  const MediaFile video{.source = media / "boat.mp4", .kind = MediaKind::video};
  const MediaFile image{.source = media / "dog.jpg", .kind = MediaKind::image};
  const MediaFile sound{.source = media / "FwVYUHKoLtQ_000034.wav", .kind = MediaKind::sound};
  constexpr auto kVideo = MediaKind::video, kImage = MediaKind::image, kSound = MediaKind::sound;
  CHECK(routes(build(video, kVisionModel)) == Routes{{kVideo, 0}});
  CHECK(routes(build(image, kVisionModel)) == Routes{{kImage, 0}});
  CHECK(routes(build(video, kAudioModel)) == Routes{{kVideo, 0}});
  CHECK(routes(build(image, kAudioModel)) == Routes{{kImage, 0}});
  CHECK(routes(build(sound, kAudioModel)) == Routes{{kSound, 1}});
  CHECK(routes(build(video, kBoth)) == Routes{{kVideo, 0}, {kSound, 2}});
  CHECK(routes(build(image, kBoth)) == Routes{{kImage, 0}});
  CHECK(routes(build(sound, kBoth)) == Routes{{kSound, 2}});
  CHECK(routes(build(video, kBoth, "frames")) == Routes{{kVideo, 0}});
  CHECK(routes(build(video, kBoth, "sound")) == Routes{{kSound, 2}});
  CHECK(routes(build(video, kAudioModel, "sound")) == Routes{{kSound, 1}});

  CHECK(failure_of(sound, kVisionModel) == MediaFailure::no_video_stream);
  CHECK(failure_of(image, kAudioModel, "sound") == MediaFailure::no_audio_stream);
}

TEST_CASE("sizes and tokens of media are those of the branch") {
  VLLAMA_SHARED_FILE(media, "fixtures/media");
  const MediaFile video{.source = media / "boat.mp4", .kind = MediaKind::video};
  const auto both = build(video, kBoth);
  CHECK(both.inputs[0].values.sizes() == at::IntArrayRef({8, 28, 28, 3}));
  CHECK(both.inputs[1].values.sizes() == at::IntArrayRef({8, 1, 128, 204}));
  CHECK(both.num_tokens == 8);
  const std::string times =
      "The video contains 8 frames sampled at 0.0, 0.7, 1.5, 2.2, 3.0, 3.8, 4.5, 5.3 seconds. ";
  CHECK(both.inputs[0].num_tokens == 5);
  CHECK(both.inputs[1].num_tokens == 3);
  CHECK(both.time_message == times);
  const auto seen = build(video, kAudioModel);
  CHECK(seen.inputs[0].values.sizes() == at::IntArrayRef({8, 42, 42, 3}));
  CHECK(seen.inputs[0].num_tokens == 3);
  CHECK(seen.time_message == times);
  const MediaFile image{.source = media / "dog.jpg", .kind = MediaKind::image};
  const auto still = build(image, kVisionModel);
  CHECK(still.inputs[0].num_tokens == 5);
  CHECK(still.time_message.empty());
  MediaConfig silent = set_with("auto");
  silent.time_message = false;
  StageSeconds seconds;
  CHECK(MediaBuilder("set", silent, {}, kVisionModel)
            .build(video, {}, 0, seconds)
            .time_message.empty());
}

TEST_CASE("the sound of a video is its audio stream, in clips") {
  VLLAMA_SHARED_FILE(media, "fixtures/media");
  const auto built =
      build({.source = media / "dog_barking.mp4", .kind = MediaKind::video}, kAudioModel, "sound");
  CHECK(same_values(built.inputs[0].values,
                    *audio_clips(media::read_audio(media / "dog_barking.mp4"))));
}

TEST_CASE("video without sound: left out beside frames, an error where sound is all") {
  VLLAMA_SHARED_FILE(media, "fixtures/media");
  const MediaFile video{.source = media / "h265_video.mp4", .kind = MediaKind::video};
  CHECK(routes(build(video, kBoth)) == Routes{{MediaKind::video, 0}});
  CHECK(build(video, kBoth).num_tokens == 5);
  CHECK(failure_of(video, kAudioModel, "sound") == MediaFailure::no_audio_stream);
  CHECK(failure_of({.source = media / "none.wav", .kind = MediaKind::sound}, kAudioModel) ==
        MediaFailure::not_found);
}

TEST_CASE("a part of a file: its frames and its sound alone") {
  VLLAMA_SHARED_FILE(media, "fixtures/media");
  MediaFile part{.source = media / "boat.mp4", .kind = MediaKind::video};
  part.start_seconds = 1;
  part.end_seconds = 3;
  const auto built = build(part, kBoth);
  // 29.97 frames a second: 29 to 89.
  CHECK_THAT(built.time_message,
             Contains("sampled at 1.0, 1.2, 1.5, 1.7, 2.0, 2.2, 2.5, 2.7 seconds"));
  auto waveform = media::read_audio(part.source);
  const auto rate = waveform.sample_rate_hz;
  for (auto& channel : waveform.channels)
    channel = {channel.begin() + rate, channel.begin() + 3 * rate};
  CHECK(same_values(built.inputs[1].values, *audio_clips(waveform)));

  part.start_seconds = 100;
  part.end_seconds = 101;
  CHECK(failure_of(part, kVisionModel) == MediaFailure::empty);
  part.start_seconds = 3;
  part.end_seconds = 2;
  CHECK(failure_of(part, kVisionModel) == MediaFailure::empty);
}

TEST_CASE("the sound of a part is that of its seconds, silent where it has not begun") {
  VLLAMA_SHARED_FILE(path, "reports/media/delayed.mkv");
  for (const auto& [start, end] : std::vector<std::pair<double, double>>{
           {0, 4}, {4, 6}, {6, 8}, {3, 5}, {0, std::numeric_limits<double>::infinity()}}) {
    MediaFile part{.source = path, .kind = MediaKind::video};
    part.start_seconds = start;
    part.end_seconds = end;
    const auto built = build(part, kBoth);
    REQUIRE(built.inputs.size() == 2);
    auto expected = media::read_audio(path);
    const auto place = [&](double seconds) {
      return std::min(expected.num_samples(),
                      static_cast<std::int64_t>(std::min(seconds, 100.0) *
                                                static_cast<double>(expected.sample_rate_hz)));
    };
    auto& samples = expected.channels.at(0);
    samples = {samples.begin() + place(start), samples.begin() + place(end)};
    CHECK(same_values(built.inputs[1].values, *audio_clips(expected)));
  }
}

TEST_CASE("a picture stands upright, or as it is stored where the original is repeated") {
  const test::TemporaryFolder folder;
  media::Image picture{56, 28, std::vector<std::uint8_t>(56 * 28 * 3)};
  for (std::size_t i = 0; i < picture.rgb.size(); ++i)
    picture.rgb[i] = static_cast<std::uint8_t>(i / 3 % 56 * 4);
  // An EXIF segment that asks for a clockwise quarter turn.
  const std::string segment(
      "\xff\xe1\0\x22"
      "Exif\0\0"
      "II*\0\x8\0\0\0"
      "\1\0"
      "\x12\1\3\0\1\0\0\0\6\0\0\0"
      "\0\0\0\0",
      36);
  std::string jpeg = media::encode_jpeg(picture, 90);
  jpeg.insert(2, segment);
  const auto path = folder.path() / "turned.jpg";
  write_file_atomically(path, jpeg);
  for (const CompatPreset compat : {CompatPreset::none, CompatPreset::reference}) {
    MediaSettings settings;
    settings.compat = compat;
    StageSeconds seconds;
    const auto built = MediaBuilder("set", set_with("auto"), settings, kVisionModel)
                           .build({.source = path, .kind = MediaKind::image}, {}, 0, seconds);
    const media::Image image = media::read_image(
        path, compat == CompatPreset::none ? media::Turning::upright : media::Turning::as_stored);
    CHECK(image.width == (compat == CompatPreset::none ? 28 : 56));
    const auto expected = resize_image(image, 28, 28).rgb;
    REQUIRE(built.inputs.at(0).values.nbytes() == expected.size());
    CHECK(std::memcmp(built.inputs[0].values.const_data_ptr(), expected.data(), expected.size()) ==
          0);
  }
}

TEST_CASE("a part of a clip whose rate varies: what is shown in these seconds, at its times") {
  VLLAMA_SHARED_FILE(clip, "reports/media/vfr.mp4");
  MediaFile part{.source = clip, .kind = MediaKind::video};
  const auto times = [&](double start, double end, std::int64_t num_frames,
                         const std::string& sampling = "uniform",
                         CompatPreset compat = CompatPreset::none) {
    part.start_seconds = start;
    part.end_seconds = end;
    MediaConfig set = set_with("frames");
    set.num_frames = num_frames;
    set.sampling = *config::value_named<Sampling>(sampling);
    MediaSettings settings;
    settings.compat = compat;
    StageSeconds seconds;
    const auto built = MediaBuilder("set", set, settings, kVisionModel).build(part, {}, 0, seconds);
    const auto& told = built.inputs.at(0).times_seconds;
    if (compat == CompatPreset::none) check_pictures(built.inputs[0].values, told);
    CHECK(built.time_message == text::time_message(told));
    return told;
  };
  using Times = std::vector<double>;
  const double end = std::numeric_limits<double>::infinity();
  CHECK(times(2, 4, 4) == Times{2, 2.5, 3, 3.5});
  CHECK(times(2.2, 3.1, 3) == Times{2, 2.5, 3});  // 2.0 is still seen at 2.2
  const Times first_half = times(0, 10, 20);
  for (std::size_t i = 0; i < first_half.size(); ++i) CHECK(first_half[i] == 0.5 * double(i));
  const Times across = times(9, 11, 22);  // two pictures to 10 s, twenty behind
  CHECK(Times(across.begin(), across.begin() + 4) == Times{9, 9.5, 10, 10.05});
  CHECK(times(0, end, 4) == Times{0, 11.75, 14.5, 17.25});  // by number
  CHECK(times(0, end, 4, "uniform_time") == Times{0, 5, 10, 15});
  CHECK(times(9, 11, 4, "uniform_time") == Times{9, 9.5, 10, 10.5});
  for (const double time : times(2, 4, 4, "headtail")) CHECK((time >= 2 && time < 4));
  CHECK(times(19.96, end, 1) == Times{19.95});
  CHECK_THROWS_AS(times(20, end, 1), media::MediaError);
  constexpr double kAverage = 200.0 / 19;  // by which the original counts time
  CHECK(times(2, 4, 4, "uniform", CompatPreset::reference) ==
        Times{4 / kAverage, 5 / kAverage, 6 / kAverage, 7 / kAverage});
}

TEST_CASE("a clip that begins later than its file: its times are those of the file") {
  VLLAMA_SHARED_FILE(clip,
                     "fixtures/media/applausing.mp4");  // pictures begin at 0.067 s, sound at 0
  const MediaFile video{.source = clip, .kind = MediaKind::video};
  CHECK_THAT(build(video, kVisionModel).time_message,
             Contains("sampled at 0.1, 1.3, 2.5, 3.8, 5.0, 6.3, 7.5, 8.8 seconds"));
  MediaSettings settings;
  settings.compat = CompatPreset::reference;
  StageSeconds seconds;
  CHECK_THAT(MediaBuilder("set", set_with("auto"), settings, kVisionModel)
                 .build(video, {}, 0, seconds)
                 .time_message,
             Contains("sampled at 0.0, 1.2, 2.5, 3.7, 5.0, 6.2, 7.5, 8.7 seconds"));
}

TEST_CASE("settings that the model cannot serve are refused with both numbers") {
  MediaConfig set = set_with("auto");
  CHECK_THROWS_WITH(MediaBuilder("set", set_with("sound"), {}, kVisionModel),
                    Contains("audio branch"));
  CHECK_THROWS_WITH(MediaBuilder("set", set_with("frames_and_sound"), {}, kAudioModel),
                    Contains("both branches"));
  set.num_frames = 33;
  CHECK_THROWS_WITH(MediaBuilder("set", set, {}, kVisionModel),
                    Contains("33") && Contains("max_frame_positions = 32"));
  set.num_frames = 9;
  CHECK_THROWS_WITH(MediaBuilder("set", set, {}, kAudioModel),
                    Contains("9") && Contains("model.audio.max_positions = 8"));
  MediaSettings settings;
  settings.sound.num_clips = 9;
  CHECK_THROWS_WITH(MediaBuilder("set", set_with("auto"), settings, kAudioModel),
                    Contains("num_clips = 9") && Contains("model.audio.max_positions = 8"));
}

TEST_CASE("sound stands among frames where both keep their places") {
  VLLAMA_SHARED_FILE(media, "fixtures/media");
  // Two embeddings of each frame, and three of each half second: 25 states of Whisper.
  ModelInput model = test::vision_input(kVision);
  model.branches[0].room = [](const MediaExtent& medium) {
    return MediaRoom{.num_tokens = 2 * medium.num_units, .num_places = medium.num_units};
  };
  model.branches[0].keeps_places = true;
  model.encoders.push_back({whole_sound(80, 250), 1});
  model.branches.push_back({.name = "audio",
                            .room =
                                [](const MediaExtent& medium) {
                                  const auto states = 250 * medium.num_units - medium.num_padding;
                                  const auto windows = (states + 24) / 25;
                                  return MediaRoom{.num_tokens = 3 * windows,
                                                   .num_places = windows};
                                },
                            .max_positions = 100,
                            .keeps_places = true,
                            .window_seconds = 0.5});
  const MediaFile video{.source = media / "boat.mp4", .kind = MediaKind::video};
  StageSeconds seconds;
  MediaConfig set = set_with("auto");
  set.num_frames = 3;
  const auto apart = MediaBuilder("set", set, {}, model).build(video, {}, 0, seconds);
  CHECK_FALSE(apart.is_interleaved);
  REQUIRE(apart.inputs.size() == 2);
  CHECK(apart.runs == std::vector<MediaRun>{{0, 6}, {1, apart.inputs[1].num_tokens}});

  const auto among =
      MediaBuilder("set", set, {.interleave = true}, model).build(video, {}, 0, seconds);
  CHECK(among.is_interleaved);
  CHECK(among.num_tokens == apart.num_tokens);
  CHECK(same_values(among.inputs[1].values, apart.inputs[1].values));
  // Frames at 0, 2 and 4 s, so that four half seconds stand behind each but the last.
  const auto& times = among.inputs[0].times_seconds;
  REQUIRE(times.size() == 3);
  const auto windows_before = [](double time) {
    return static_cast<std::int64_t>(std::ceil((time - 0.25) / 0.5));
  };
  const std::int64_t first = 3 * windows_before(times[1]),
                     second = 3 * windows_before(times[2]) - first,
                     third = among.inputs[1].num_tokens - first - second;
  CHECK(among.runs ==
        std::vector<MediaRun>{{0, 2}, {1, first}, {0, 2}, {1, second}, {0, 2}, {1, third}});

  // Of a part of the file, and of what is only seen or heard.
  MediaFile part = video;
  part.start_seconds = 2;
  part.end_seconds = 4;
  const auto later =
      MediaBuilder("set", set, {.interleave = true}, model).build(part, {}, 0, seconds);
  CHECK(later.inputs[1].num_tokens == 3 * 4);
  CHECK(later.runs.front() == MediaRun{0, 2});
  CHECK(later.runs.back().medium == 1);
  set.inputs = Inputs::frames;
  CHECK_FALSE(MediaBuilder("set", set, {.interleave = true}, model)
                  .build(video, {}, 0, seconds)
                  .is_interleaved);
}

TEST_CASE("interleaving needs embeddings of every frame and of every window") {
  const auto broken = [](const ModelInput& model) {
    return broken_media_rules("set", {}, {.interleave = true}, model);
  };
  REQUIRE(broken(kVisionModel).size() == 1);
  CHECK_THAT(broken(kVisionModel)[0], Contains("both branches"));
  REQUIRE(broken(kBoth).size() == 1);
  CHECK_THAT(broken(kBoth)[0],
             Contains("model.vision.connector: mlp") && Contains("model.audio.window_seconds"));
  ModelInput fitting = kBoth;
  fitting.branches[0].keeps_places = fitting.branches[1].keeps_places = true;
  fitting.branches[1].window_seconds = 0.5;
  CHECK(broken(fitting).empty());
}

}  // namespace vllama::samples
