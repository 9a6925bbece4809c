// A file that only grows, each piece written at once, so that a crash can tear the last piece only.
#pragma once

#include <filesystem>
#include <string_view>

namespace vllama::output {

class AppendFile {
 public:
  // Opens or creates the file. Throws RunFailure naming the path and the system's reason.
  explicit AppendFile(std::filesystem::path path);
  ~AppendFile();
  AppendFile(AppendFile&& other) noexcept;
  AppendFile(const AppendFile&) = delete;
  AppendFile& operator=(const AppendFile&) = delete;

  // Adds bytes at the end. Throws RunFailure, for instance when the disk is full.
  void append(std::string_view bytes);

 private:
  std::filesystem::path path_;
  int descriptor_;
};

}  // namespace vllama::output
