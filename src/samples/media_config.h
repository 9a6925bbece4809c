// What is taken of media, and how they are decoded.
#pragma once

#include <cstdint>

#include "config/enum_names.h"
#include "config/fields.h"
#include "media/video_options.h"
#include "samples/audio_clip_config.h"
#include "samples/compat.h"

namespace vllama::samples {

// Which frames of a video are taken.
enum class Sampling { uniform, uniform_time, headtail };
constexpr auto names_of(Sampling) {
  return config::EnumNames<Sampling, 3>{{{Sampling::uniform, "uniform"},
                                         {Sampling::uniform_time, "uniform_time"},
                                         {Sampling::headtail, "headtail"}}};
}

// What the model is given of media.
enum class Inputs { automatic, frames, sound, frames_and_sound };
constexpr auto names_of(Inputs) {
  return config::EnumNames<Inputs, 4>{{{Inputs::automatic, "auto"},
                                       {Inputs::frames, "frames"},
                                       {Inputs::sound, "sound"},
                                       {Inputs::frames_and_sound, "frames_and_sound"}}};
}

// A random crop, or the whole picture.
enum class Transform { train, eval };
constexpr auto names_of(Transform) {
  return config::EnumNames<Transform, 2>{{{Transform::train, "train"}, {Transform::eval, "eval"}}};
}

struct MediaConfig {
  std::int64_t num_frames = 8;  // of a video
  Sampling sampling = Sampling::uniform;
  Inputs inputs = Inputs::automatic;
  bool time_message = true;  // tells the model when the frames of a video were taken
  Transform transform = Transform::train;
  // Smallest and largest share of the area that a crop covers.
  double min_crop_scale = 0.5, max_crop_scale = 1;
};

// Of data.interleave, and of the same key of a bundle.
inline constexpr const char* kInterleaveHelp =
    "true: where a video is both seen and heard, what is heard stands behind the frames of the "
    "same "
    "seconds (it needs model.vision.connector: mlp and model.audio.window_seconds); false: behind "
    "all frames";

// What decoding of media is told.
struct MediaSettings {
  media::VideoOptions video = {};
  AudioClipConfig sound = {};
  CompatPreset compat = CompatPreset::none;
  bool interleave = false;

  template <class Visitor>
  void visit(Visitor&& field) {
    field("video", video, "decoding of videos");
    field("sound", sound, "sound as clips");
    field("compat", compat,
          "reference: pixels and sound as the Python original makes them, defects included");
    field("interleave", interleave, kInterleaveHelp);
  }
};

}  // namespace vllama::samples
