// A folder with annotations and empty media files.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "core/error.h"
#include "eval/tasks/open_task.h"
#include "tests/support/fixtures.h"

namespace vllama::test {

class TaskFolder {
 public:
  explicit TaskFolder(const std::vector<std::string>& media) {
    std::filesystem::create_directories(folder_.path() / "media");
    for (const std::string& name : media) write("media/" + name, "");
  }

  std::string write(const std::string& name, const std::string& text) const {
    const std::filesystem::path path = folder_.path() / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
    return path.string();
  }

  eval::TaskConfig task(const std::string& format, const std::string& annotations) const {
    eval::TaskConfig config;
    config.name = "task";
    config.format = format;
    config.annotations = write("annotations.json", annotations);
    config.media_root = (folder_.path() / "media").string();
    return config;
  }

  std::string path(const std::string& name) const { return (folder_.path() / name).string(); }

 private:
  TemporaryFolder folder_;
};

// Why the task cannot be opened; "no error" if it can.
inline std::string refusal_of(const eval::TaskConfig& config) {
  try {
    eval::open_task(config);
  } catch (const UserError& error) {
    return error.what();
  }
  return "no error";
}

// The name of a question's medium in its folder; "none" without one.
inline std::string medium_of(const eval::Question& question) {
  return question.medium
             ? std::filesystem::path(question.medium->source.file_name()).filename().string()
             : "none";
}

}  // namespace vllama::test
