// Where the indexes of data sets are kept, so that the processes of a node share them.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace vllama::datasets {

class IndexFolder {
 public:
  // Keeps nothing: every index stays in the memory of its process.
  IndexFolder() = default;

  // The folder `path`; if that is empty, vllama-index-<user id> below the system's temporary
  // folder. Makes it, for this user alone, if it is not there. One that cannot be made, belongs to
  // another user or that others may write to is not used: then indexes stay in memory, and a
  // warning says why.
  static IndexFolder open(const std::string& path);

  // Nothing if indexes stay in memory.
  const std::optional<std::filesystem::path>& path() const { return path_; }

 private:
  std::optional<std::filesystem::path> path_;
};

}  // namespace vllama::datasets
