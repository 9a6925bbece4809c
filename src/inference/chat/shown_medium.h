// A picture, video or sound that the model is shown in a chat: from its file to its embeddings.
#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/media_kind.h"

namespace vllama::inference {

struct OpenedModel;

struct ShownMedium {
  std::filesystem::path file;
  MediaKind kind = MediaKind::image;
  std::string time_message;                       // of a video
  std::vector<double> frame_times_seconds;        // of a video
  std::optional<at::Tensor> frames_QH, sound_QH;  // embeddings
  bool has_sound_among_frames = false;            // of a video: its sound is in frames_QH
  std::string warning;  // the sound of a video that could not be used, and why; else empty
};

struct ShowOptions {
  std::int64_t num_frames = 8;  // of a video
  bool time_message = true;
  bool sound = true;  // of a video, where the model hears
};

// Whether a video is shown with its sound.
inline bool is_heard(const ShownMedium& medium) {
  return medium.sound_QH || medium.has_sound_among_frames;
}

// Reads the file and embeds it; `as` is what the user says that it is, if anything. A video of a
// model with both branches is shown with its sound, if it has some; where the sound is broken the
// video is shown without, with a warning. Throws UserError, naming the file, if it is missing, not
// what it is shown as, broken, or nothing that the model can take in.
ShownMedium show_medium(const OpenedModel& opened, const std::filesystem::path& file,
                        std::optional<MediaKind> as, const ShowOptions& options);

}  // namespace vllama::inference
