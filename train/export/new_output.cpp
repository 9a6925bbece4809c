#include "train/export/new_output.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "core/error.h"
#include "core/files.h"
#include "core/log.h"
#include "train/export/model_card.h"

namespace vllama::train {
namespace {

namespace fs = std::filesystem;

fs::path without_slash(const fs::path& path) {
  return path.has_filename() ? path : path.parent_path();
}

fs::path folder_around(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

void remove_quietly(const fs::path& folder) {
  std::error_code error;
  fs::remove_all(folder, error);
  if (error) log::warn("cannot remove '{}': {}", folder.string(), error.message());
}

[[noreturn]] void fail(const char* what, const fs::path& path) {
  throw RunFailure(fmt::format("cannot {} '{}': {}", what, path.string(), std::strerror(errno)));
}

void sync_all(const fs::path& folder) {
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (!entry.is_symlink()) sync_to_disk(entry.path());
  sync_to_disk(folder);
}

}  // namespace

void require_replaceable(const fs::path& given, OutputKind kind, bool force) {
  const fs::path path = without_slash(given);
  std::error_code error;
  fs::create_directories(folder_around(path), error);
  if (error)
    throw UserError(fmt::format("the folder '{}' cannot be created: {}",
                                folder_around(path).string(), error.message()));
  const auto status = fs::symlink_status(path, error);
  if (!fs::exists(status)) return;
  if (kind == OutputKind::file ? !fs::is_regular_file(status) : !fs::is_directory(status))
    throw UserError(fmt::format("'{}' exists and is no {}: choose another output", path.string(),
                                kind == OutputKind::file ? "file" : "folder"));
  if (kind == OutputKind::folder && fs::is_empty(path, error)) return;
  if (kind == OutputKind::folder && !fs::exists(path / kModelCardFile, error))
    throw UserError(fmt::format(
        "'{}' is a folder that no export has made, and is never replaced: choose another output",
        path.string()));
  if (!force)
    throw UserError(fmt::format("'{}' exists: choose another output, or replace it with --force",
                                path.string()));
}

NewFolder::NewFolder(fs::path path)
    : final_(without_slash(path)),
      temporary_(folder_around(final_) /
                 fmt::format(".{}.partial-{}", final_.filename().string(), ::getpid())) {
  if (::mkdir(temporary_.c_str(), 0777) != 0) fail("create the folder", temporary_);
}

NewFolder::~NewFolder() {
  std::error_code error;
  if (fs::exists(temporary_, error)) remove_quietly(temporary_);
}

void NewFolder::commit() {
  sync_all(temporary_);
  // What stood under the final name has the temporary one afterwards and goes with this object.
  if (::rename(temporary_.c_str(), final_.c_str()) != 0) {
    if (errno != ENOTEMPTY && errno != EEXIST) fail("create", final_);
    if (::renameat2(AT_FDCWD, temporary_.c_str(), AT_FDCWD, final_.c_str(), RENAME_EXCHANGE) != 0)
      fail("replace", final_);
  }
  sync_to_disk(folder_around(final_));
}

}  // namespace vllama::train
