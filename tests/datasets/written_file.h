#pragma once

#include <filesystem>
#include <fstream>
#include <string>

namespace vllama::test {

// With the folders that it lies in.
inline void write_below(const std::filesystem::path& path, const std::string& content) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << content;
}

}  // namespace vllama::test
