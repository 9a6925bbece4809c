// Recorded values of the tokenizer tests.
#pragma once

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

namespace vllama::test {

inline nlohmann::json read_json(const std::filesystem::path& path) {
  std::ifstream file(path);
  return nlohmann::json::parse(file);
}

}  // namespace vllama::test
