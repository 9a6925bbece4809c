#include "media/range_io.h"

#include <cerrno>
#include <cstdio>
#include <optional>

#include "media/input.h"

namespace vllama::media {
namespace {

// As much as FFmpeg reads at once from files of the disk.
constexpr int kBufferBytes = 256 * 1024;

}  // namespace

RangeIo::RangeIo(const FileRange& range, const Deadline& deadline)
    : range_(range), deadline_(deadline) {
  auto* buffer = static_cast<unsigned char*>(allocated(av_malloc(kBufferBytes)));
  context_ = avio_alloc_context(buffer, kBufferBytes, 0, this, &read, nullptr, &seek);
  if (context_ != nullptr) return;
  av_free(buffer);
  throw std::bad_alloc();
}

RangeIo::~RangeIo() {
  av_freep(&context_->buffer);  // FFmpeg may have replaced it
  avio_context_free(&context_);
}

int RangeIo::read(void* self, std::uint8_t* target, int num_bytes) {
  auto& io = *static_cast<RangeIo*>(self);
  if (io.deadline_.passed()) return AVERROR_EXIT;
  const std::int64_t num_read = io.range_.read_at(
      io.position_, std::as_writable_bytes(std::span(target, static_cast<std::size_t>(num_bytes))));
  if (num_read < 0) {
    io.has_failed_ = true;
    return AVERROR(static_cast<int>(-num_read));
  }
  if (num_read == 0) return AVERROR_EOF;
  io.position_ += num_read;
  return static_cast<int>(num_read);
}

// A place behind the end may be sought, as in files; reading there gives the end.
std::int64_t RangeIo::seek(void* self, std::int64_t offset, int whence) {
  auto& io = *static_cast<RangeIo*>(self);
  const std::int64_t size = io.range_.size();
  if (whence == AVSEEK_SIZE) return size;
  std::int64_t base = 0;
  if (whence == SEEK_CUR) base = io.position_;
  if (whence == SEEK_END) base = size;
  std::int64_t target = 0;
  if (__builtin_add_overflow(base, offset, &target) || target < 0) return AVERROR(EINVAL);
  io.position_ = target;
  return target;
}

}  // namespace vllama::media
