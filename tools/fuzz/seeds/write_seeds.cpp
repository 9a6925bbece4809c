// The program that writes the seeds of all targets but those of media: write_seeds FOLDER, from the
// root of the checkout.
#include <cstdio>
#include <exception>
#include <fstream>

#include "tools/fuzz/seeds/seeds.h"

namespace vllama::fuzz {

void Seeds::add(const std::string& target, std::string_view bytes) {
  const std::filesystem::path folder = root_ / target;
  std::filesystem::create_directories(folder);
  std::ofstream file(folder / std::to_string(num_seeds_++), std::ios::binary);
  file.exceptions(std::ios::failbit | std::ios::badbit);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

void Seeds::add(const std::string& target, std::size_t choice, std::string_view bytes) {
  add(target, std::string(1, static_cast<char>(choice)) + std::string(bytes));
}

}  // namespace vllama::fuzz

int main(int argc, char** argv) try {
  namespace fs = std::filesystem;
  if (argc != 2) {
    std::fputs("write_seeds FOLDER\n", stderr);
    return 2;
  }
  vllama::fuzz::Seeds seeds{fs::path(argv[1])};
  const fs::path scratch = fs::path(argv[1]) / "scratch";
  fs::create_directories(scratch);
  vllama::fuzz::add_weight_seeds(seeds, scratch);
  vllama::fuzz::add_annotation_seeds(seeds);
  vllama::fuzz::add_result_seeds(seeds);
  fs::remove_all(scratch);
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "write_seeds: %s\n", error.what());
  return 1;
}
