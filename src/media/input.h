// An opened media file: local files only, known containers only, and never longer than a time
// limit.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "media/ffmpeg.h"
#include "media/file_range.h"
#include "media/range_io.h"

namespace vllama::media {

// A point in time after which work on a file stops.
class Deadline {
 public:
  explicit Deadline(double seconds);
  bool passed() const { return Clock::now() >= end_; }
  // Throws MediaError timeout "<what>: ..." once the time is over.
  void check(const std::string& what) const;

 private:
  using Clock = std::chrono::steady_clock;
  double seconds_;
  Clock::time_point end_;
};

// Keeps FFmpeg's own complaints about damaged files out of the log: our errors name the file.
void silence_ffmpeg();

class Input {
 public:
  // Opens the file and reads its header and stream facts. Throws MediaError: not_found, empty,
  // not_media, corrupt, timeout.
  Input(const FileRange& file, const Deadline& deadline);

  AVFormatContext& format() { return *format_; }
  const std::string& name() const { return name_; }

  // The best stream of a type, attached pictures left out; all other streams are dropped while
  // reading. Throws MediaError no_video_stream, no_audio_stream or unsupported_codec.
  AVStream& select_stream(AVMediaType type);
  // The same choice without effect and without errors: null when there is none.
  const AVStream* find_stream(AVMediaType type) const;

  // Reads the next packet of the selected stream; false at the end. Damage that stops the reading
  // counts as the end. Throws MediaError timeout, or corrupt when the disk fails.
  bool read(AVPacket& packet);

 private:
  std::string name_;                    // of the file, for messages
  std::unique_ptr<Deadline> deadline_;  // FFmpeg's callbacks keep its address, and that of io_
  std::unique_ptr<RangeIo> io_;
  FormatContext format_;
  int selected_ = -1;
};

}  // namespace vllama::media
