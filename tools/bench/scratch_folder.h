// A folder of its own for what a benchmark writes.
#pragma once

#include <fmt/format.h>
#include <stdlib.h>

#include <filesystem>

#include "core/error.h"

namespace vllama::tools {

// Made in the parent, removed with all that is in it at the end.
class ScratchFolder {
 public:
  // Throws UserError if the parent takes no folder.
  explicit ScratchFolder(const std::filesystem::path& parent) {
    std::string pattern = (parent / "vllama-bench-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr)
      throw UserError(fmt::format("no folder can be made in '{}'", parent.string()));
    path_ = pattern;
  }
  ~ScratchFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace vllama::tools
