#include "core/files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>

#include "core/descriptor.h"
#include "core/error.h"

namespace vllama {
namespace {

std::string reason() {
  return std::strerror(errno);
}

[[noreturn]] void write_failed(const std::filesystem::path& path) {
  throw RunFailure(fmt::format("cannot write '{}': {}", path.string(), reason()));
}

void write_all(int descriptor, std::string_view content, const std::filesystem::path& path) {
  while (!content.empty()) {
    const ssize_t written = ::write(descriptor, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) write_failed(path);
    content.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::error_code ignored;
  if (!file || !std::filesystem::is_regular_file(path, ignored))
    throw UserError(
        fmt::format("cannot read '{}': {}", path.string(),
                    std::filesystem::is_directory(path, ignored) ? "it is a folder" : reason()));
  return {std::istreambuf_iterator<char>(file), {}};
}

std::shared_ptr<const MappedFile> MappedFile::open(const std::filesystem::path& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat facts {};
  if (!file.valid() || ::fstat(file.get(), &facts) != 0)
    throw UserError(fmt::format("cannot open '{}': {}", path.string(), reason()));
  if (!S_ISREG(facts.st_mode))
    throw UserError(fmt::format("cannot open '{}': it is not a regular file", path.string()));
  const auto size = static_cast<std::size_t>(facts.st_size);
  const void* data = nullptr;
  if (size > 0) {
    data = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.get(), 0);
    if (data == MAP_FAILED)
      throw UserError(fmt::format("cannot map '{}': {}", path.string(), reason()));
  }
  return std::shared_ptr<const MappedFile>(
      new MappedFile(path, static_cast<const std::byte*>(data), size));
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(const_cast<std::byte*>(data_), size_);
}

void MappedFile::release_pages(std::size_t offset, std::size_t length) const {
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  const std::size_t begin = (offset + page - 1) / page * page;
  const std::size_t end = std::min(offset + length, size_) / page * page;
  if (begin < end) ::madvise(const_cast<std::byte*>(data_) + begin, end - begin, MADV_DONTNEED);
}

AtomicFile::AtomicFile(std::filesystem::path path)
    : path_(std::move(path)),
      temporary_(path_.string() + ".tmp"),
      descriptor_(::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644)) {
  if (descriptor_ < 0) write_failed(path_);
}

AtomicFile::~AtomicFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
  if (!is_committed_) ::unlink(temporary_.c_str());
}

void AtomicFile::append(std::string_view content) {
  write_all(descriptor_, content, path_);
  num_bytes_ += content.size();
}

void AtomicFile::append(std::span<const std::byte> content) {
  append(std::string_view(reinterpret_cast<const char*>(content.data()), content.size()));
}

void AtomicFile::commit() {
  // Some file systems report a full disk only in fsync or close.
  if (::fsync(descriptor_) != 0) write_failed(path_);
  const int descriptor = descriptor_;
  descriptor_ = -1;
  if (::close(descriptor) != 0) write_failed(path_);
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) write_failed(path_);
  is_committed_ = true;
  sync_to_disk(path_.has_parent_path() ? path_.parent_path() : std::filesystem::path("."));
}

void write_file_atomically(const std::filesystem::path& path, std::string_view content) {
  AtomicFile file(path);
  file.append(content);
  file.commit();
}

void sync_to_disk(const std::filesystem::path& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid() || ::fsync(file.get()) != 0) write_failed(path);
}

}  // namespace vllama
