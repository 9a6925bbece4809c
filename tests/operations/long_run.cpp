#include "tests/operations/long_run.h"

#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <functional>
#include <thread>

#include "core/files.h"
#include "datasets/formats/open_dataset.h"

namespace vllama::test {
namespace fs = std::filesystem;
namespace {

void wait_until(const std::function<bool()>& is_so) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (!is_so()) {
    REQUIRE(std::chrono::steady_clock::now() < end);
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

}  // namespace

LongRun::LongRun() : config(run("run")) {
  config.training.num_epochs = 1;
  config.training.steps_per_epoch = 100'000;
  config.checkpoints.every_steps = 10;
  config.distributed.join_timeout_seconds = 6;
  config.distributed.timeout_seconds = 4;
  config.distributed.silence_seconds = 4;
}

std::string LongRun::command(const std::string& options) const {
  const fs::path file = path("run.yaml");
  write_file_atomically(file, config::dump(config));
  return fmt::format("'{}' train '{}' {}", VLLAMA_PROGRAM, file.string(), options);
}

void LongRun::make_indexes() const {
  const auto indexes = datasets::IndexFolder::open(config.data.index_folder);
  for (const datasets::DatasetConfig& set : config.data.sets) datasets::open_dataset(set, indexes);
}

void LongRun::wait_for_step(std::int64_t step) const {
  wait_until([metrics = folder() / "metrics.jsonl", step] {
    if (!fs::exists(metrics)) return false;
    const std::string lines = read_file(metrics);
    return std::count(lines.begin(), lines.end(), '\n') > step;
  });
}

void wait_for_file(const fs::path& file) {
  INFO(file);
  wait_until([&] { return fs::exists(file); });
}

void wait_for_text(const fs::path& file, const std::string& text) {
  INFO(file << ": " << text);
  wait_until([&] { return fs::exists(file) && read_file(file).find(text) != std::string::npos; });
}

std::string saved_bytes(const fs::path& run_folder, std::int64_t step) {
  const fs::path folder = run_folder / "checkpoints" / fmt::format("step_{:06}", step);
  return read_file(folder / "trainable.safetensors") + read_file(folder / "optimizer.safetensors");
}

}  // namespace vllama::test
