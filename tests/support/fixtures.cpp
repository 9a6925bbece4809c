#include "tests/support/fixtures.h"

#include <stdlib.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <iostream>

namespace vllama::test {
namespace {

// Tests run in the root of the checkout (see vllama_test in cmake/Targets.cmake).
const std::filesystem::path kShared = "../shared";

bool required(const char* variable) {
  const char* value = std::getenv(variable);
  return value != nullptr && std::string(value) == "1";
}

void skip(const std::string& reason) {
  std::cout << "SKIPPED " << Catch::getResultCapture().getCurrentTestName() << ": " << reason
            << "\n";
}

}  // namespace

std::optional<std::filesystem::path> shared_file(const std::string& relative) {
  const auto path = kShared / relative;
  if (std::filesystem::exists(path)) return path;
  const std::string reason = "no " + path.string();
  if (required("VLLAMA_REQUIRE_FIXTURES")) FAIL(reason << " (VLLAMA_REQUIRE_FIXTURES=1)");
  skip(reason);
  return std::nullopt;
}

std::optional<std::filesystem::path> real_model(const std::string& name) {
  const char* folder = std::getenv("VLLAMA_REAL_MODELS");
  if (folder == nullptr) {
    skip("VLLAMA_REAL_MODELS names no folder of real models");
    return std::nullopt;
  }
  const auto path = std::filesystem::path(folder) / name;
  if (!std::filesystem::exists(path)) FAIL("no " << path.string());
  return path;
}

std::filesystem::path golden_file(const std::string& relative) {
  return std::filesystem::path("tests/golden") / relative;
}

std::filesystem::path folder_in_memory() {
  const std::filesystem::path memory = "/dev/shm";
  return std::filesystem::is_directory(memory) ? memory : std::filesystem::temp_directory_path();
}

TemporaryFolder::TemporaryFolder(const std::filesystem::path& parent) {
  std::string pattern = (parent / "vllama-test-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) FAIL("cannot create a temporary folder");
  path_ = pattern;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace vllama::test
