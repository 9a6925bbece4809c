// The entry point of every test program.
#define CATCH_CONFIG_RUNNER
#include <stdlib.h>

#include <catch2/catch.hpp>
#include <filesystem>

#include "core/log.h"

// Temporary files, indexes of data sets among them, go into a folder that ends with the program.
int main(int argc, char** argv) {
  namespace fs = std::filesystem;
  vllama::log::quiet();
  std::string folder = (fs::temp_directory_path() / "vllama-tests-XXXXXX").string();
  if (mkdtemp(folder.data()) == nullptr) return 1;
  setenv("TMPDIR", folder.c_str(), 1);
  const int status = Catch::Session().run(argc, argv);
  std::error_code ignored;
  fs::remove_all(folder, ignored);
  return status;
}
