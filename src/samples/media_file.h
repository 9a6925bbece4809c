// A medium before it is opened.
#pragma once

#include <limits>
#include <string>

#include "core/media_kind.h"
#include "media/file_range.h"

namespace vllama::samples {

struct MediaFile {
  media::FileRange source;
  MediaKind kind = MediaKind::video;
  // The part of a video or sound that is meant: from `start_seconds` to `end_seconds`, by default
  // all of it.
  double start_seconds = 0;
  double end_seconds = std::numeric_limits<double>::infinity();
  // All names that were looked for, "v_abc, v_abc.mp4, ...", where there was more than one and none
  // was there.
  std::string tried = {};
};

}  // namespace vllama::samples
