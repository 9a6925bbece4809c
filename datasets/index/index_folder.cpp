#include "datasets/index/index_folder.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "core/log.h"

namespace vllama::datasets {
namespace fs = std::filesystem;
namespace {

// A chosen folder may be a link; in the temporary folder, where others may put links, none is
// followed.
fs::path place_of(const std::string& chosen) {
  std::error_code ignored;
  if (!chosen.empty()) return fs::weakly_canonical(chosen, ignored);
  return fs::temp_directory_path(ignored) / fmt::format("vllama-index-{}", ::geteuid());
}

// Why the folder cannot be used, after it was made if it could be; empty if it can.
std::string fault_of(const fs::path& folder) {
  std::error_code problem;
  if (folder.empty()) return "there is no temporary folder";
  fs::create_directories(folder.parent_path(), problem);
  struct stat facts {};
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) return std::strerror(errno);
  if (::lstat(folder.c_str(), &facts) != 0) return std::strerror(errno);
  if (!S_ISDIR(facts.st_mode)) return "it is not a folder";
  if (facts.st_uid != ::geteuid()) return "it belongs to another user";
  if ((facts.st_mode & (S_IWGRP | S_IWOTH)) != 0)
    return "others may write to it (chmod go-w would change that)";
  if (::access(folder.c_str(), R_OK | W_OK | X_OK) != 0) return std::strerror(errno);
  return {};
}

}  // namespace

IndexFolder IndexFolder::open(const std::string& path) {
  IndexFolder folder;
  const fs::path place = place_of(path);
  const std::string fault = fault_of(place);
  if (fault.empty())
    folder.path_ = place;
  else
    log::warn(
        "the folder '{}' cannot keep the indexes of data sets: {}; every process makes its own, in "
        "memory (data.index_folder names another folder)",
        place.string(), fault);
  return folder;
}

}  // namespace vllama::datasets
