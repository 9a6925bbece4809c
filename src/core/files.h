// Files read whole or mapped, and files that appear whole or not at all.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace vllama {

// The whole content of a file. Throws UserError naming the path if it cannot be read.
std::string read_file(const std::filesystem::path& path);

// A read-only mapping of a file; shared by every view into it, unmapped with the last one.
class MappedFile {
 public:
  // Throws UserError naming the path if it is absent, not a regular file, or cannot be mapped.
  static std::shared_ptr<const MappedFile> open(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::span<const std::byte> bytes() const { return {data_, size_}; }
  std::string_view text() const { return {reinterpret_cast<const char*>(data_), size_}; }
  const std::filesystem::path& path() const { return path_; }

  // Tells the kernel that the pages fully inside [offset, offset + length) will not be read soon,
  // so that they leave this process's resident memory. Reading them again is allowed and correct.
  void release_pages(std::size_t offset, std::size_t length) const;

 private:
  MappedFile(std::filesystem::path path, const std::byte* data, std::size_t size)
      : path_(std::move(path)), data_(data), size_(size) {}

  std::filesystem::path path_;
  const std::byte* data_;
  std::size_t size_;
};

// A file that appears under its name whole or not at all. It is written under a temporary name in
// the same folder and takes its own name, on the disk, in commit(). Without a commit the destructor
// removes it and the file that was there before stays as it was.
class AtomicFile {
 public:
  // Throws RunFailure naming the path and the system's reason, as do all the others.
  explicit AtomicFile(std::filesystem::path path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void append(std::string_view content);
  void append(std::span<const std::byte> content);
  std::size_t num_bytes() const { return num_bytes_; }
  void commit();

 private:
  std::filesystem::path path_, temporary_;
  int descriptor_;  // -1 once closed
  bool is_committed_ = false;
  std::size_t num_bytes_ = 0;
};

// Writes a file so that `path` holds either its old content or all of the new one: a temporary name
// in the same folder, fsync, rename, fsync of the folder. Throws RunFailure with the system's
// reason.
void write_file_atomically(const std::filesystem::path& path, std::string_view content);

// Flushes a file or folder to the disk. Throws RunFailure.
void sync_to_disk(const std::filesystem::path& path);

}  // namespace vllama
