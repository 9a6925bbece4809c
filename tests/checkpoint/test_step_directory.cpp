// A step is there whole or not at all, whatever interrupts its writer.
#include <ATen/ops/full.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "checkpoint/step_directory.h"
#include "core/error.h"
#include "core/files.h"
#include "tests/checkpoint/sample_files.h"
#include "tests/support/fixtures.h"

using namespace vllama;
using namespace vllama::checkpoint;
using namespace vllama::test;
using Catch::Contains;
namespace fs = std::filesystem;

namespace {

// Contents that say everywhere which step they belong to.
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
}

int num_entries(const fs::path& folder) {
  return static_cast<int>(std::distance(fs::directory_iterator(folder), {}));
}

void damage(const fs::path& file) {
  std::string bytes = read_file(file);
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  write_bytes(file, bytes);
}

}  // namespace

TEST_CASE("a step comes back as it was saved") {
  const TemporaryFolder folder;
  const fs::path root = folder.path() / "checkpoints";
  CHECK(list_steps(root).empty());
  CHECK_FALSE(newest_complete_step(root));
  const StepDirectory saved = save_step(root, 100, contents_of(100));
  CHECK(saved.path == root / "step_000100");
  CHECK(num_entries(saved.path) == 5);
  CHECK(num_entries(root) == 1);
  CHECK_FALSE(step_damage(saved.path));
  check_is(load_step(saved.path), 100);
  save_step(root, 20, contents_of(20));
  save_step(root, 1'000'000, contents_of(1'000'000));
  REQUIRE(list_steps(root).size() == 3);
  CHECK(list_steps(root)[0].step == 20);
  CHECK(newest_complete_step(root)->step == 1'000'000);
}

TEST_CASE("a step of the same number is replaced") {
  const TemporaryFolder folder;
  save_step(folder.path(), 7, {{}, {{"state.json", "old"}}});
  save_step(folder.path(), 7, contents_of(7));
  check_is(load_step(folder.path() / "step_000007"), 7);
  CHECK(num_entries(folder.path()) == 1);
}

TEST_CASE("a damaged newest step is skipped for the one before, and says what is wrong") {
  struct Damage {
    std::function<void(const fs::path&)> make;
    std::string message;
  };
  const std::vector<Damage> table = {
      {[](const fs::path& step) { damage(step / "trainable.safetensors"); }, "checksum"},
      {[](const fs::path& step) { damage(step / "config.yaml"); }, "config.yaml"},
      {[](const fs::path& step) { fs::resize_file(step / "optimizer.safetensors", 10); },
       "10 bytes instead of"},
      {[](const fs::path& step) { fs::remove(step / "state.json"); }, "state.json is missing"},
      {[](const fs::path& step) { fs::remove(step / "manifest.json"); },
       "manifest.json is missing"},
      {[](const fs::path& step) { write_bytes(step / "manifest.json", "{"); }, "damaged"},
      {[](const fs::path& step) { write_bytes(step / "manifest.json", "{\"files\":{\"a\":1}}"); },
       "damaged entry 'a'"},
      {[](const fs::path& step) {
         write_bytes(step / "manifest.json",
                     "{\"files\":{\"../x\":{\"bytes\":1,\"crc32\":\"0\"}}}");
       },
       "damaged entry '../x'"},
  };
  for (const Damage& entry : table) {
    INFO(entry.message);
    const TemporaryFolder folder;
    save_step(folder.path(), 1, contents_of(1));
    const fs::path newest = save_step(folder.path(), 2, contents_of(2)).path;
    entry.make(newest);
    REQUIRE(step_damage(newest));
    CHECK_THAT(*step_damage(newest), Contains(entry.message));
    CHECK_THROWS_WITH(load_step(newest), Contains("step_000002") && Contains(entry.message));
    CHECK(newest_complete_step(folder.path())->step == 1);
  }
}

TEST_CASE("pruning keeps the newest, and the newest without damage") {
  const TemporaryFolder folder;
  for (int step = 1; step <= 5; ++step) save_step(folder.path(), step, contents_of(step));
  prune_steps(folder.path(), 3);
  CHECK(list_steps(folder.path()).front().step == 3);
  CHECK(num_entries(folder.path()) == 3);
  damage(folder.path() / "step_000004" / "state.json");
  damage(folder.path() / "step_000005" / "state.json");
  const StepContents kept = load_step(folder.path() / "step_000003");
  prune_steps(folder.path(), 1);
  const auto steps = list_steps(folder.path());
  REQUIRE(steps.size() == 2);
  CHECK(steps[0].step == 3);
  CHECK(steps[1].step == 5);
  save_step(folder.path(), 6, contents_of(6));
  prune_steps(folder.path(), 1);
  CHECK(num_entries(folder.path()) == 1);
  check_is(kept, 3);  // its files are gone, its tensors still map them
}

TEST_CASE("what a crash left is ignored and removed by the next save") {
  const TemporaryFolder folder;
  save_step(folder.path(), 1, contents_of(1));
  fs::create_directory(folder.path() / ".step_000002.partial");
  write_bytes(folder.path() / ".step_000002.partial" / "trainable.safetensors", "half");
  fs::create_directory(folder.path() / "step_3");
  fs::create_directory(folder.path() / "step_00000x");
  CHECK(newest_complete_step(folder.path())->step == 1);
  CHECK(list_steps(folder.path()).size() == 1);
  save_step(folder.path(), 2, contents_of(2));
  CHECK_FALSE(fs::exists(folder.path() / ".step_000002.partial"));
  CHECK(fs::exists(folder.path() / "step_3"));  // not ours
}

TEST_CASE("a step that cannot be written leaves nothing behind") {
  const TemporaryFolder folder;
  save_step(folder.path(), 1, contents_of(1));
  StepContents unwritable = contents_of(2);
  unwritable.texts["no/such/folder.txt"] = "x";
  CHECK_THROWS_AS(save_step(folder.path(), 2, unwritable), RunFailure);
  CHECK(num_entries(folder.path()) == 1);
  CHECK(newest_complete_step(folder.path())->step == 1);
}

TEST_CASE("the newest complete step loads whenever its writer is killed") {
  constexpr int kNumKills = 60;
  const TemporaryFolder folder;
  save_step(folder.path(), 1, contents_of(1));
  std::int64_t last = 1;
  int num_interrupted = 0;
  for (int i = 0; i < kNumKills; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      // Saves new steps and replaces the last one again and again until it is killed.
      for (std::int64_t step = last;; ++step) {
        save_step(folder.path(), step, contents_of(step));
        prune_steps(folder.path(), 2);
      }
    }
    REQUIRE(child > 0);
    ::usleep(static_cast<useconds_t>(1000 + 700 * i));
    ::kill(child, SIGKILL);
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    REQUIRE(WIFSIGNALED(status));
    for (const auto& entry : fs::directory_iterator(folder.path()))
      num_interrupted += entry.path().filename().string().starts_with(".") ? 1 : 0;
    // Not merely some step: none may be damaged, and none may be lost.
    for (const StepDirectory& step : list_steps(folder.path())) CHECK_FALSE(step_damage(step.path));
    const auto newest = newest_complete_step(folder.path());
    REQUIRE(newest);
    CHECK(newest->step >= last);
    last = newest->step;
    check_is(load_step(newest->path), last);
  }
  CHECK(num_interrupted > kNumKills / 4);
}
