// What is in a folder, to compare two.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "core/files.h"

namespace vllama::test {

// The bytes of every file below `folder`, by path from there.
inline std::map<std::string, std::string> folder_contents(const std::filesystem::path& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
    if (entry.is_regular_file())
      files[std::filesystem::relative(entry.path(), folder)] = read_file(entry.path());
  return files;
}

}  // namespace vllama::test
