// Keeps two processes from writing into one folder.
#pragma once

#include <filesystem>

namespace vllama::train {

// Held by one object at a time, in whatever process; the system releases it when a process ends,
// however that happens. File systems without locks on folders (some network ones) lock nothing.
class FolderLock {
 public:
  // Creates the folder if absent. Throws UserError if that fails or the lock is held.
  explicit FolderLock(const std::filesystem::path& folder);
  ~FolderLock();
  FolderLock(FolderLock&& other) noexcept;
  FolderLock& operator=(FolderLock&&) = delete;

 private:
  int descriptor_;
};

}  // namespace vllama::train
