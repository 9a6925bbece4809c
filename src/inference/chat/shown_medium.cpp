#include "inference/chat/shown_medium.h"

#include <ATen/core/grad_mode.h>
#include <fmt/format.h>

#include "core/error.h"
#include "inference/media_embedding.h"
#include "inference/open_model.h"
#include "media/error.h"
#include "media/image.h"
#include "media/video.h"
#include "models/model_input.h"
#include "samples/media_builder.h"

namespace vllama::inference {
namespace {

bool is_image(const std::filesystem::path& file) {
  try {
    media::read_image(file);
    return true;
  } catch (const media::MediaError& error) {
    if (error.reason == media::MediaFailure::not_media) return false;
    throw;
  }
}

// A sound file may have a picture of its cover, which is no video.
bool has_video(const std::filesystem::path& file, const media::VideoOptions& options) {
  try {
    media::VideoReader reader(file, options);
    return true;
  } catch (const media::MediaError& error) {
    if (error.reason == media::MediaFailure::no_video_stream) return false;
    throw;
  }
}

MediaKind kind_of(const std::filesystem::path& file, const media::VideoOptions& options) {
  if (is_image(file)) return MediaKind::image;
  return has_video(file, options) ? MediaKind::video : MediaKind::sound;
}

const char* name_of(std::optional<MediaKind> kind) {
  if (kind == MediaKind::image) return "the image";
  if (kind == MediaKind::sound) return "the sound";
  return kind == MediaKind::video ? "the video" : "the file";
}

class Showing {
 public:
  Showing(const OpenedModel& opened, const std::filesystem::path& file, MediaKind kind,
          const ShowOptions& options)
      : opened_(opened), file_(file), kind_(kind), options_(options) {}

  ShownMedium operator()() {
    ShownMedium medium;
    medium.file = file_;
    medium.kind = kind_;
    const samples::BuiltMedium built =
        kind_ == MediaKind::video
            ? built_video(medium.warning)
            : build(kind_ == MediaKind::sound ? samples::Inputs::sound : samples::Inputs::frames);
    const MediaBlocks blocks = media_blocks(*opened_.model, built);
    medium.frames_QH = blocks.frames_QH;
    medium.sound_QH = blocks.sound_QH;
    medium.has_sound_among_frames = built.is_interleaved;
    medium.frame_times_seconds = built.inputs[0].times_seconds;
    medium.time_message = built.time_message;
    return medium;
  }

 private:
  bool takes_sound_of_videos() const {
    const models::ModelConfig& model = opened_.model->config();
    return options_.sound && model.has_audio() && model.has_vision();
  }

  samples::BuiltMedium build(samples::Inputs inputs) const {
    const samples::MediaConfig config{.num_frames = options_.num_frames,
                                      .inputs = inputs,
                                      .time_message = options_.time_message,
                                      .transform = samples::Transform::eval};
    samples::StageSeconds seconds;
    return samples::MediaBuilder("chat", config, opened_.media,
                                 models::model_input(opened_.model->branches()))
        .build({.source = file_, .kind = kind_}, {}, 0, seconds);
  }

  // With its sound, unless that is broken.
  samples::BuiltMedium built_video(std::string& warning) const {
    if (!takes_sound_of_videos()) return build(samples::Inputs::frames);
    try {
      return build(samples::Inputs::frames_and_sound);
    } catch (const media::MediaError& error) {
      samples::BuiltMedium silent = build(samples::Inputs::frames);
      warning = fmt::format("shown without its sound: {}", error.what());
      return silent;
    }
  }

  const OpenedModel& opened_;
  const std::filesystem::path& file_;
  MediaKind kind_;
  const ShowOptions& options_;
};

}  // namespace

ShownMedium show_medium(const OpenedModel& opened, const std::filesystem::path& file,
                        std::optional<MediaKind> as, const ShowOptions& options) {
  const at::AutoGradMode no_graph(false);
  try {
    if (opened.model->branches().empty())
      throw UserError(
          fmt::format("'{}': the model is a language model alone, which neither sees nor hears",
                      file.string()));
    const MediaKind kind = as ? *as : kind_of(file, opened.media.video);
    if (kind == MediaKind::sound && !opened.model->config().has_audio())
      throw UserError(fmt::format(
          "'{}': the model has no audio branch and cannot hear; show it a video or an image",
          file.string()));
    return Showing(opened, file, kind, options)();
  } catch (const media::MediaError& error) {
    throw UserError(fmt::format("cannot show {}: {}", name_of(as), error.what()));
  }
}

}  // namespace vllama::inference
