// Where a medium lies, a whole file or a part of one, and its bytes.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <utility>

namespace vllama::media {

// A whole file, or a member of an archive.
struct FileRange {
  FileRange() = default;
  // A whole file; a path is one without further words.
  template <class Path>
  requires std::convertible_to<Path, std::filesystem::path> FileRange(Path&& whole_file)
      : path(std::forward<Path>(whole_file)) {}
  FileRange(std::filesystem::path archive, std::string member_name, std::int64_t begin,
            std::int64_t length)
      : path(std::move(archive)),
        member(std::move(member_name)),
        offset_bytes(begin),
        num_bytes(length) {}
  // A member that an archive, or a set of them, does not have: opening it says so.
  static FileRange absent(std::filesystem::path archive, std::string member_name);

  // "clip.mp4", or "shard.tar:clip.mp4": the name for messages.
  std::string name() const;
  // What the medium itself is called.
  std::string file_name() const { return member.empty() ? path.string() : member; }
  bool is_whole_file() const { return member.empty(); }
  bool is_absent() const { return !member.empty() && !num_bytes; }

  bool operator==(const FileRange&) const = default;

  std::filesystem::path path;
  std::string member;                     // empty: the whole file
  std::int64_t offset_bytes = 0;          // of the member's content in the archive
  std::optional<std::int64_t> num_bytes;  // of the member
};

// A range opened for reading. May be used by several threads at once.
class OpenRange {
 public:
  // Throws MediaError not_found, empty, not_media (no regular file) or corrupt (the archive ends
  // before the member does).
  explicit OpenRange(const FileRange& range);
  ~OpenRange();
  OpenRange(const OpenRange&) = delete;
  OpenRange& operator=(const OpenRange&) = delete;

  std::int64_t size() const { return num_bytes_; }
  // Fills `target` from byte `position` on, as far as the range goes, and returns the number of
  // bytes, or the negative errno if the disk fails.
  std::int64_t read_at(std::int64_t position, std::span<std::byte> target) const noexcept;
  // The first `num_bytes`, or as many as there are. Throws MediaError corrupt if the disk fails, or
  // if the file has become shorter.
  std::string read_first(std::int64_t num_bytes) const;

 private:
  std::string name_;
  int descriptor_;
  std::int64_t offset_bytes_, num_bytes_ = 0;
};

}  // namespace vllama::media
