#include "tests/ranks/runs.h"

#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <thread>

#include "core/files.h"
#include "train/record/metrics.h"

namespace vllama::test {

train::RunConfig run_of_20_steps(const TinyWorld& world, const std::string& name) {
  train::RunConfig config = world.run(name);
  config.training.batch_size = kBatchSize;
  config.training.num_epochs = 2;
  config.training.steps_per_epoch = kNumSteps / 2;
  config.data.loader = {.num_workers = 1, .queue_depth = 2};
  config.checkpoints.every_steps = 5;
  config.checkpoints.keep_last = 10;
  return config;
}

std::vector<RankOutcome> train_on(std::int64_t num_ranks, const train::RunConfig& config,
                                  const std::string& options,
                                  const std::map<std::string, std::string>& variables) {
  const auto file = std::filesystem::path(config.output_dir + ".yaml");
  write_file_atomically(file, config::dump(config));
  const std::string command =
      fmt::format("'{}' train '{}' {}", VLLAMA_PROGRAM, file.string(), options);
  Ranks ranks(std::vector<std::string>(static_cast<std::size_t>(num_ranks), command), variables);
  auto outcomes = ranks.wait_all(120);
  for (const auto& outcome : outcomes) {
    INFO(outcome.output);
    CHECK(outcome.status == 0);
  }
  return outcomes;
}

std::filesystem::path step_folder(const train::RunConfig& config, std::int64_t step) {
  return std::filesystem::path(config.output_dir) / "checkpoints" / fmt::format("step_{:06}", step);
}

std::filesystem::path trained_weights(const train::RunConfig& config) {
  return step_folder(config, kNumSteps) / "trainable.safetensors";
}

checkpoint::StepContents step_of(const train::RunConfig& config, std::int64_t step) {
  return checkpoint::load_step(step_folder(config, step)).contents;
}

void go_back_to(const train::RunConfig& config, std::int64_t step) {
  for (const auto& later : checkpoint::list_steps(step_folder(config, step).parent_path()))
    if (later.step > step) std::filesystem::remove_all(later.path);
}

void wait_for_step(const train::RunConfig& config, std::size_t step) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  const auto metrics = std::filesystem::path(config.output_dir) / "metrics.jsonl";
  while (!std::filesystem::exists(metrics) || train::read_metrics(metrics).size() < step) {
    REQUIRE(std::chrono::steady_clock::now() < end);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

}  // namespace vllama::test
