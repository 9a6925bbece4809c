#include "media/file_range.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "media/error.h"

namespace vllama::media {

FileRange FileRange::absent(std::filesystem::path archive, std::string member_name) {
  FileRange range(std::move(archive), std::move(member_name), 0, 0);
  range.num_bytes.reset();
  return range;
}

std::string FileRange::name() const {
  return member.empty() ? path.string() : fmt::format("{}:{}", path.string(), member);
}

// Not to wait for a writer, should it be a pipe: that is found out below.
OpenRange::OpenRange(const FileRange& range)
    : name_(range.name()),
      descriptor_(
          range.is_absent() ? -1 : ::open(range.path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)),
      offset_bytes_(range.offset_bytes) {
  if (descriptor_ < 0)
    throw MediaError(MediaFailure::not_found,
                     fmt::format("cannot open '{}': {}", name_,
                                 range.is_absent() ? "there is no such member in the shards"
                                                   : std::strerror(errno)));
  const auto refuse = [this](MediaFailure failure, const std::string& problem) {
    ::close(descriptor_);
    throw MediaError(failure, fmt::format("'{}': {}", name_, problem));
  };
  struct stat facts {};
  if (::fstat(descriptor_, &facts) != 0 || !S_ISREG(facts.st_mode))
    refuse(MediaFailure::not_media, "is not a regular file");
  num_bytes_ = range.num_bytes.value_or(facts.st_size);
  if (offset_bytes_ < 0 || num_bytes_ < 0 || num_bytes_ > facts.st_size - offset_bytes_)
    refuse(MediaFailure::corrupt,
           fmt::format("ends behind the shard, which has {} bytes", facts.st_size));
  if (num_bytes_ == 0) refuse(MediaFailure::empty, "has no bytes");
}

OpenRange::~OpenRange() {
  ::close(descriptor_);
}

std::int64_t OpenRange::read_at(std::int64_t position, std::span<std::byte> target) const noexcept {
  if (position < 0 || position >= num_bytes_) return 0;
  const auto wanted = std::min<std::int64_t>(std::ssize(target), num_bytes_ - position);
  std::int64_t done = 0;
  while (done < wanted) {
    const ssize_t read =
        ::pread(descriptor_, target.data() + done, static_cast<std::size_t>(wanted - done),
                offset_bytes_ + position + done);
    if (read < 0 && errno == EINTR) continue;
    if (read < 0) return done > 0 ? done : -errno;
    if (read == 0) break;
    done += read;
  }
  return done;
}

std::string OpenRange::read_first(std::int64_t num_bytes) const {
  std::string bytes(static_cast<std::size_t>(std::clamp<std::int64_t>(num_bytes, 0, num_bytes_)),
                    '\0');
  const std::int64_t read = read_at(0, std::as_writable_bytes(std::span(bytes)));
  if (read < std::ssize(bytes))
    throw MediaError(MediaFailure::corrupt,
                     fmt::format("cannot read '{}': {}", name_,
                                 read < 0 ? std::strerror(static_cast<int>(-read))
                                          : "it became shorter while it was read"));
  return bytes;
}

}  // namespace vllama::media
