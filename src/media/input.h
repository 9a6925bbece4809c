// An opened media file: local files only, known containers only, and never longer than a time
// limit.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "media/ffmpeg.h"
#include "media/file_range.h"
#include "media/range_io.h"
#include "media/time_line.h"

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

  // The pictures are the best video stream as FFmpeg ranks them, attached pictures left out; the
  // sound is the best audio stream of the same programme, if there are some. Null when there is
  // none.
  const AVStream* find_stream(AVMediaType type) const;
  // The same choice, for reading: all other streams are dropped. To be called once. Throws
  // MediaError no_video_stream, no_audio_stream or unsupported_codec.
  AVStream& select_stream(AVMediaType type);

  // Where the file's time line begins: when its pictures or its sound begin, whichever is earlier,
  // in the time of its packets. A packet's place in the file is pts * time_base - zero_seconds().
  double zero_seconds() const { return zero_seconds_; }

  // Where the last picture ends, on the same line, so far as the header tells or packets that were
  // read have shown.
  std::optional<double> pictures_end_seconds() const { return pictures_end_seconds_; }

  // Reads the next packet of the selected stream; false at the end. Time stamps are on one line:
  // where joined recordings begin anew, they go on, pictures and sound moved by the same time.
  // Damage that stops the reading counts as the end. Throws MediaError timeout, or corrupt when the
  // disk fails.
  bool read(AVPacket& packet);

 private:
  void choose_streams();
  // The best stream of a type that is no attached picture; among those of `related`'s programme, if
  // it has one. -1 when there is none.
  int best_stream(AVMediaType type, int related) const;
  std::optional<double> announced_end_of_pictures() const;
  bool read_any(AVPacket& packet);
  void note_end_of_pictures(const AVPacket& packet);

  std::string name_;                    // of the file, for messages
  std::unique_ptr<Deadline> deadline_;  // FFmpeg's callbacks keep its address, and that of io_
  std::unique_ptr<RangeIo> io_;
  FormatContext format_;
  int pictures_ = -1, sound_ = -1;  // indices of streams
  double zero_seconds_ = 0;
  std::optional<double> pictures_end_seconds_;
  int selected_ = -1;
  std::optional<TimeLine> time_line_;  // where a file's times may jump
  bool has_ended_ = false;
};

}  // namespace vllama::media
