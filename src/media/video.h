// Videos of any container and codec that FFmpeg knows: facts about a clip, and any of its frames.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "media/file_range.h"
#include "media/image.h"
#include "media/orientation.h"
#include "media/video_options.h"

namespace vllama::media {

struct VideoFacts {
  std::int64_t num_frames = 0;
  double frames_per_second = 0;  // average over the clip
  // When each frame is shown, ascending, and when the last one is no longer, on the file's own time
  // line: pictures and sound share its zero, where the earlier of them begins.
  std::vector<double> times_seconds;
  double end_seconds = 0;
  std::int64_t width = 0, height = 0;  // pixels, after turning
  Orientation orientation;             // of the stored pictures, as the header says
  std::string codec;                   // FFmpeg's name, for instance "h264"
  bool has_audio = false;
  std::int64_t audio_sample_rate = 0, num_audio_channels = 0;  // 0 without audio
};

struct DecodedFrames {
  std::vector<Image> images;       // one per requested index, in the order of the request
  std::int64_t num_concealed = 0;  // images that stand in for a frame that did not decode
};

// One clip, read through once when it is opened. Its frames are the pictures that a player shows of
// its best video stream (attached pictures are not video), in the order in which it shows them; see
// picture_list.h for what counts. A clip whose packets have no times of presentation is decoded
// when it is opened, since nothing else tells the order. Decoding is bit-exact with decoding the
// whole clip in sequence, for any indices in any order. Not for use by two threads at a time.
class VideoReader {
 public:
  // Throws MediaError with any reason but no_audio_stream and too_many_concealed.
  explicit VideoReader(const FileRange& file, const VideoOptions& options = {});
  ~VideoReader();
  VideoReader(VideoReader&&) noexcept;
  VideoReader& operator=(VideoReader&&) noexcept;

  const VideoFacts& facts() const;

  // Decodes the frames with these indices, each in [0, num_frames); indices may repeat. Frames are
  // turned as the header says, then scaled to `size` without keeping the aspect ratio, or left at
  // their own size. The pixels equal those of decord 0.6.0 (bilinear). A frame that does not decode
  // is replaced by the nearest earlier one that does, else the nearest later one; in damaged clips,
  // too, the result depends on nothing but the clip and the index. Throws MediaError
  // too_many_concealed if that happens to more than one image in eight, corrupt if nothing decodes,
  // or timeout.
  DecodedFrames frames(std::span<const std::int64_t> indices, std::optional<FrameSize> size = {});

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace vllama::media
