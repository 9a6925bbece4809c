// Runs of a tiny world on several ranks, and what they leave behind.
#pragma once

#include "checkpoint/step_directory.h"
#include "tests/support/ranks.h"
#include "tests/train/tiny_world.h"

namespace vllama::test {

inline constexpr std::int64_t kNumSteps = 20;
inline constexpr std::int64_t kBatchSize = 8;

// A checkpoint after every five steps, all of them kept.
train::RunConfig run_of_20_steps(const TinyWorld& world, const std::string& name);

// Trains to the end in `num_ranks` processes, each of which must succeed. `options` are of the
// command line.
std::vector<RankOutcome> train_on(std::int64_t num_ranks, const train::RunConfig& config,
                                  const std::string& options = "",
                                  const std::map<std::string, std::string>& variables = {});

std::filesystem::path step_folder(const train::RunConfig& config, std::int64_t step);
// After the last step.
std::filesystem::path trained_weights(const train::RunConfig& config);
checkpoint::StepContents step_of(const train::RunConfig& config, std::int64_t step);

// As if the run had ended there.
void go_back_to(const train::RunConfig& config, std::int64_t step);

// Waits until the metrics of so many steps are there; fails the test after a minute.
void wait_for_step(const train::RunConfig& config, std::size_t step);

}  // namespace vllama::test
