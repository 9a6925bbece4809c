#include "train/run/run_folder.h"

#include <fmt/format.h>
#include <unistd.h>

#include "core/error.h"
#include "core/files.h"

namespace vllama::train {

std::string RunFolder::problem() const {
  namespace fs = std::filesystem;
  std::error_code ignored, fault;
  fs::path folder = fs::absolute(path_);
  while (!fs::exists(fs::symlink_status(folder, fault)) && folder.has_relative_path()) {
    if (fault == std::errc::filename_too_long)
      return fmt::format("output_dir '{}' cannot be created: {}", path_.string(), fault.message());
    folder = folder.parent_path();
  }
  if (!fs::is_directory(folder, ignored))
    return fmt::format("output_dir '{}': '{}' is in the way and no folder; choose another",
                       path_.string(), folder.string());
  if (::access(folder.c_str(), W_OK | X_OK) != 0)
    return fmt::format("output_dir '{}': the folder '{}' cannot be written; choose another",
                       path_.string(), folder.string());
  return {};
}

void RunFolder::prepare() const {
  std::error_code problem;
  std::filesystem::create_directories(path_, problem);
  if (problem)
    throw UserError(
        fmt::format("output_dir '{}' cannot be created: {}", path_.string(), problem.message()));
  try {
    write_file_atomically(path_ / ".writable", "");
    std::filesystem::remove(path_ / ".writable");
  } catch (const RunFailure& failure) {
    throw UserError(
        fmt::format("output_dir '{}' is not writable: {}", path_.string(), failure.what()));
  }
}

std::optional<checkpoint::LoadedStep> RunFolder::load_checkpoint(const std::string& resume) const {
  const bool is_auto = resume == "auto";
  if (!is_auto && resume != "never")
    return checkpoint::load_step(find_step(resume, /*needed=*/{}).value_or(resume));
  if (checkpoint::list_steps(checkpoints()).empty()) return std::nullopt;
  if (!is_auto)
    throw UserError(
        fmt::format("'{}' already holds checkpoints; with --resume never choose "
                    "another output_dir, or remove them",
                    path_.string()));
  auto newest = checkpoint::load_newest_step(checkpoints());
  if (!newest)
    throw UserError(
        fmt::format("all checkpoints in '{}' are damaged; to start anew, choose another "
                    "output_dir, or remove them",
                    checkpoints().string()));
  return newest;
}

}  // namespace vllama::train
