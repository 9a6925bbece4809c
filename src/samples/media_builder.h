// From a media file to what the model gets of it: frames decoded, cropped and resized, and sound as
// clips.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "media/video.h"
#include "samples/encoder_input.h"
#include "samples/example.h"
#include "samples/media_config.h"
#include "samples/media_file.h"
#include "samples/sample_key.h"

namespace vllama::samples {

// Where the time of a sample went.
struct StageSeconds {
  double decode = 0;  // opening, demuxing, decoding and scaling to the model's size
  double pixels = 0;  // crop and resize
  double sound = 0;   // resampling and mel spectrograms
  double text = 0;

  double total() const { return decode + pixels + sound + text; }
  StageSeconds& operator+=(const StageSeconds& other);
};

// A medium, ready for the model.
struct BuiltMedium {
  std::vector<MediaInput> inputs;  // one, or frames and sound
  std::vector<MediaRun> runs;      // of all their media tokens
  bool is_interleaved = false;     // sound among frames, which are one block then
  std::string time_message;        // of a video; empty where there is none
  std::int64_t num_tokens = 0;     // of all inputs
  std::int64_t num_concealed_frames = 0;
};

// Immutable: may be used by several threads at once.
class MediaBuilder {
 public:
  // `name` is that of the data set, for messages. Throws UserError for settings that contradict
  // each other or the model.
  MediaBuilder(const std::string& name, const MediaConfig& config, const MediaSettings& settings,
               const ModelInput& model);

  // Medium number `index` of a record. Throws media::MediaError if it cannot be used. Adds the time
  // spent to `seconds`.
  BuiltMedium build(const MediaFile& file, const SampleKey& sample, std::size_t index,
                    StageSeconds& seconds) const;

 private:
  struct Draws;

  bool takes_frames(MediaKind kind) const;
  bool takes_sound(MediaKind kind) const;
  void add_frames(const MediaFile& file, Draws& draws, BuiltMedium& built,
                  StageSeconds& seconds) const;
  void add_sound(const MediaFile& file, BuiltMedium& built, StageSeconds& seconds) const;
  at::Tensor video_frames(const MediaFile& file, Draws& draws, BuiltMedium& built,
                          std::vector<double>& times_seconds, StageSeconds& seconds) const;
  std::vector<std::int64_t> chosen_frames(const MediaFile& file, const media::VideoFacts& facts,
                                          Draws& draws) const;
  // When frames of a clip are shown, as prompts tell it.
  std::vector<double> told_times(std::span<const std::int64_t> frames,
                                 const media::VideoFacts& facts) const;
  at::Tensor image_frame(const MediaFile& file, Draws& draws, StageSeconds& seconds) const;
  void add_runs(const MediaFile& file, BuiltMedium& built) const;
  // What encoder number `encoder` is given.
  MediaInput input_of(const MediaFile& file, std::size_t encoder, SoundUnits units) const;
  // Of the pictures that the model sees, in pixels.
  std::int64_t side() const;

  MediaConfig config_;
  media::VideoOptions video_;
  AudioClipConfig sound_;
  Compat compat_;
  bool interleave_;
  ModelInput model_;
  std::optional<std::size_t> picture_encoder_, sound_encoder_;  // of the model
};

}  // namespace vllama::samples
