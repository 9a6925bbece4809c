// A range of a file as FFmpeg reads it: through our own functions, without a copy.
#pragma once

#include <cstdint>
#include <memory>

#include "media/ffmpeg.h"
#include "media/file_range.h"

namespace vllama::media {

class Deadline;

class RangeIo {
 public:
  // Reading fails with AVERROR_EXIT once the deadline, which must outlive this, has passed. Throws
  // MediaError as OpenRange does.
  RangeIo(const FileRange& range, const Deadline& deadline);
  ~RangeIo();
  RangeIo(const RangeIo&) = delete;
  RangeIo& operator=(const RangeIo&) = delete;

  const OpenRange& range() const { return range_; }
  AVIOContext* context() { return context_; }
  // Whether the disk has failed: some demuxers call the end of a file an input error.
  bool has_failed() const { return has_failed_; }

 private:
  static int read(void* self, std::uint8_t* target, int num_bytes);
  static std::int64_t seek(void* self, std::int64_t offset, int whence);

  OpenRange range_;
  const Deadline& deadline_;
  std::int64_t position_ = 0;
  bool has_failed_ = false;
  AVIOContext* context_;
};

}  // namespace vllama::media
