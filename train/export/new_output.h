// What an export writes: a file or a folder that appears whole or not at all.
#pragma once

#include <filesystem>

namespace vllama::train {

enum class OutputKind { file, folder };

// Throws UserError if something is at `path` that must stay: anything without `force`; with it,
// whatever is of another kind, and folders that no export has made (its own hold
// model_card.json; empty ones may go). Creates the folder around it.
void require_replaceable(const std::filesystem::path& path, OutputKind kind, bool force);

// A folder under a hidden name beside its own, removed unless it takes its own name in commit(),
// together with everything on the disk, in place of what was there.
class NewFolder {
 public:
  // Throws RunFailure if it cannot be created.
  explicit NewFolder(std::filesystem::path path);
  ~NewFolder();
  NewFolder(const NewFolder&) = delete;
  NewFolder& operator=(const NewFolder&) = delete;

  const std::filesystem::path& path() const { return temporary_; }
  void commit();

 private:
  std::filesystem::path final_, temporary_;
};

}  // namespace vllama::train
