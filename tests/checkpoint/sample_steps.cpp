#include "tests/checkpoint/sample_steps.h"

#include <ATen/ops/full.h>

#include <catch2/catch.hpp>

namespace vllama::test {

using namespace checkpoint;
namespace fs = std::filesystem;

StepContents contents_of(std::int64_t step) {
  const auto value = static_cast<double>(step);
  return {
      {{"trainable", {{"w", at::full({50, 10}, value, at::kFloat)}}},
       {"optimizer", {{"exp_avg.w", at::full({500}, value, at::kFloat)}}}},
      {{"state.json", "{\"step\": " + std::to_string(step) + "}"}, {"config.yaml", "seed: 1\n"}}};
}

void check_is(const StepContents& contents, std::int64_t step) {
  const auto value = static_cast<double>(step);
  REQUIRE(contents.tensors.size() == 2);
  CHECK(contents.tensors.at("trainable").at("w").equal(at::full({50, 10}, value, at::kFloat)));
  CHECK(contents.tensors.at("optimizer").at("exp_avg.w").equal(at::full({500}, value, at::kFloat)));
  CHECK(contents.texts.at("state.json") == "{\"step\": " + std::to_string(step) + "}");
  CHECK(contents.texts.at("config.yaml") == "seed: 1\n");
}

int num_entries(const fs::path& folder) {
  return static_cast<int>(std::distance(fs::directory_iterator(folder), {}));
}

void check_all_whole(const fs::path& root) {
  for (const auto& [step, path] : list_steps(root)) {
    INFO(path);
    const auto damage = step_damage(path);
    CHECK(damage.value_or("whole") == "whole");
    if (damage) continue;
    CHECK(unnamed_files(path).empty());
    check_is(load_step(path).contents, step);
  }
}

}  // namespace vllama::test
