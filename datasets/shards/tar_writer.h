// Writes a tar archive that appears whole or not at all; equal members make equal bytes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "core/files.h"
#include "media/file_range.h"

namespace vllama::datasets {

class TarWriter {
 public:
  // All members throw RunFailure if the disk fails. Names have at most 100 bytes.
  explicit TarWriter(const std::filesystem::path& path) : file_(path) {}

  void add(const std::string& name, std::string_view content);
  // Throws RunFailure also if the file became shorter since it was opened.
  void add(const std::string& name, const media::OpenRange& content);
  // What a member of that size takes.
  static std::int64_t member_bytes(std::int64_t content_bytes);
  std::int64_t num_bytes() const { return static_cast<std::int64_t>(file_.num_bytes()); }

  // Ends the archive. Without it the file never appears.
  void commit();

 private:
  void begin(const std::string& name, std::int64_t num_bytes);
  void pad();

  AtomicFile file_;
};

}  // namespace vllama::datasets
