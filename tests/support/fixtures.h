// Where test data lies, and how a test skips when it is not there.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace vllama::test {

// A path below the folder `shared` beside the checkout, or nothing when it is absent. In that case
// the reason is printed, and the test fails instead if VLLAMA_REQUIRE_FIXTURES=1.
std::optional<std::filesystem::path> shared_file(const std::string& relative);

// A folder of a real pretrained model, below the one that VLLAMA_REAL_MODELS names, or nothing when
// it is absent, visibly.
std::optional<std::filesystem::path> real_model(const std::string& name);

// A path below tests/golden, which is always present.
std::filesystem::path golden_file(const std::string& relative);

// Where syncing costs nothing, or the usual folder for temporary files: for what happens to
// processes, not to disks.
std::filesystem::path folder_in_memory();

// A new folder, removed with everything in it at the end of the test.
class TemporaryFolder {
 public:
  explicit TemporaryFolder(
      const std::filesystem::path& parent = std::filesystem::temp_directory_path());
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace vllama::test

// Binds `name` to a shared file or leaves the test, visibly.
#define VLLAMA_SHARED_FILE(name, relative)                           \
  const auto name##_or_none = ::vllama::test::shared_file(relative); \
  if (!name##_or_none) return;                                       \
  const std::filesystem::path& name = *name##_or_none

// Binds `name` to the folder of a real model or leaves the test, visibly.
#define VLLAMA_REAL_MODEL(name, folder)                           \
  const auto name##_or_none = ::vllama::test::real_model(folder); \
  if (!name##_or_none) return;                                    \
  const std::filesystem::path& name = *name##_or_none
