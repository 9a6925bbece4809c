// Which checkpoints stay, and what a checkpoint remembers besides tensors.
#include <fmt/format.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <random>
#include <set>

#include "checkpoint/step_directory.h"
#include "core/error.h"
#include "core/files.h"
#include "tests/support/fixtures.h"
#include "train/loop/retention.h"
#include "train/run/run_folder.h"
#include "train/run/run_state.h"

using namespace vllama;
using namespace vllama::train;
using Catch::Contains;
namespace fs = std::filesystem;

namespace {

using Steps = std::vector<std::int64_t>;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

void save(const fs::path& root, std::int64_t step, double loss) {
  checkpoint::save_step(
      root, step, {{}, {{kStateFile, state_text({.num_steps_done = step}, {{"loss", loss}})}}});
}

Steps steps_below(const fs::path& root) {
  Steps steps;
  for (const auto& directory : checkpoint::list_steps(root)) steps.push_back(directory.step);
  return steps;
}

}  // namespace

TEST_CASE("retention: a checkpoint stays as long as one rule keeps it") {
  const std::vector<SavedStep> saved = {{10, 3.0}, {20, 1.0}, {30, 2.0}, {40, 1.0},
                                        {50, 5.0}, {60, {}},  {70, 4.0}};
  const auto removed = [&](const CheckpointConfig& config, std::int64_t newest = 70) {
    return steps_to_remove(saved, config, newest);
  };
  CHECK(removed({.keep_last = 7}).empty());
  CHECK(removed({.keep_last = 3}) == Steps{10, 20, 30, 40});
  CHECK(removed({.keep_last = 1}) == Steps{10, 20, 30, 40, 50, 60});
  CHECK(removed({.keep_last = 1, .keep_every_steps = 30}) == Steps{10, 20, 40, 50});
  CHECK(removed({.keep_last = 1, .keep_best = 1}) == Steps{10, 20, 30, 50, 60});  // of equals, 40
  CHECK(removed({.keep_last = 1, .keep_best = 3}) == Steps{10, 50, 60});
  CHECK(removed({.keep_last = 1, .keep_best = 2, .best_is = BestValue::highest}) ==
        Steps{10, 20, 30, 40, 60});
  CHECK(removed({.keep_last = 1, .keep_best = 100}) == Steps{60});
  // Of a run that went on from step 40 and has just saved step 50.
  CHECK(removed({.keep_last = 1}, 50) == Steps{10, 20, 30, 40});
  CHECK(removed({.keep_last = 2, .keep_best = 1}, 10).empty());
}

TEST_CASE("retention: removing after every save keeps what the rules keep of the whole run") {
  std::mt19937 random(3);
  const auto draw = [&](int below) { return static_cast<std::int64_t>(random() % below); };
  for (int round = 0; round < 300; ++round) {
    const CheckpointConfig config{.keep_last = 1 + draw(4),
                                  .keep_every_steps = 20 * draw(3),
                                  .keep_best = draw(4),
                                  .best_is = draw(2) == 0 ? BestValue::lowest : BestValue::highest};
    std::vector<SavedStep> all, kept;
    for (std::int64_t step = 5; step <= 150; step += 5) {
      SavedStep saved{step, {}};
      if (draw(5) > 0) saved.metric = static_cast<double>(draw(12));
      all.push_back(saved);
      kept.push_back(saved);
      for (const std::int64_t removed : steps_to_remove(kept, config, step)) {
        REQUIRE(removed != step);
        std::erase_if(kept, [&](const SavedStep& old) { return old.step == removed; });
      }
    }
    Steps left, expected;
    for (const SavedStep& saved : kept) left.push_back(saved.step);
    const Steps removed = steps_to_remove(all, config, all.back().step);
    for (const SavedStep& saved : all)
      if (std::ranges::find(removed, saved.step) == removed.end()) expected.push_back(saved.step);
    CHECK(left == expected);
    const std::int64_t num_milestones =
        config.keep_every_steps == 0 ? 0 : 150 / config.keep_every_steps;
    CHECK(static_cast<std::int64_t>(left.size()) <=
          config.keep_last + config.keep_best + num_milestones);
  }
}

TEST_CASE("retention: metrics are those on the disk") {
  const test::TemporaryFolder folder;
  const CheckpointConfig config{.keep_last = 1, .keep_best = 2};
  const std::map<std::int64_t, double> losses = {{1, 4.0}, {2, 1.5}, {3, kNan}, {4, 2.5}, {5, 3.0}};
  for (const auto& [step, loss] : losses) {
    save(folder.path(), step, loss);
    if (step < 5) continue;
    remove_old_checkpoints(folder.path(), config, step);
  }
  CHECK(steps_below(folder.path()) == Steps{2, 4, 5});
  // A state that is not what was saved has no say.
  write_file_atomically(folder.path() / "step_000002" / kStateFile, "{\"metrics\": {\"loss\": 0}}");
  save(folder.path(), 6, 3.5);
  remove_old_checkpoints(folder.path(), config, 6);
  CHECK(steps_below(folder.path()) == Steps{4, 5, 6});
}

TEST_CASE("state: what a run remembers comes back exactly") {
  RunProgress progress{.num_steps_done = 7, .num_samples = 56, .num_dropped = 2};
  progress.metric_sums["loss"].add(0.1);
  progress.metric_sums["loss"].add(kNan);
  progress.metric_sums["loss"].add(1.0 / 3.0);
  progress.metric_sums["accuracy"].add(std::numeric_limits<double>::infinity());
  CHECK(mean_metrics(progress) == std::map<std::string, double>{{"loss", (0.1 + 1.0 / 3.0) / 2}});
  const std::string text = state_text(progress, {{"loss", 1.0 / 7.0}, {"gap", kNan}});
  const RunProgress read = read_progress({{}, {{kStateFile, text}}});
  CHECK(read.num_steps_done == 7);
  CHECK(read.num_samples == 56);
  CHECK(read.num_dropped == 2);
  CHECK(read.metric_sums.at("loss").sum == progress.metric_sums.at("loss").sum);
  CHECK(read.metric_sums.at("loss").num_steps == 2);
  CHECK(mean_metrics(read) == mean_metrics(progress));
  CHECK(state_text(read, {{"loss", 1.0 / 7.0}}) == text);
  CHECK(read_state_metrics(text) == std::map<std::string, double>{{"loss", 1.0 / 7.0}});
}

TEST_CASE("state: what does not say it all is refused") {
  const auto refused = [](const std::string& text, const std::string& message) {
    INFO(text);
    CHECK_THROWS_WITH(read_progress({{}, {{kStateFile, text}}}), Contains(message));
  };
  CHECK_THROWS_WITH(read_progress({}), Contains("does not say 'step'"));
  for (const char* text : {"", "[]", "null", "{\"step\": -1}", "{\"step\": 1.5}",
                           "{\"step\": \"1\"}", "{\"step\": 9223372036854775808}"})
    refused(text, "does not say 'step'");
  refused("{\"step\": 1, \"samples\": 4}", "does not say 'dropped'");
  const std::string counts = "{\"step\": 1, \"samples\": 4, \"dropped\": 0, \"metric_sums\": ";
  for (const char* sums :
       {"{\"loss\": 1}", "{\"loss\": {}}", "[1]", "{\"loss\": {\"sum\": null, \"steps\": 1}}",
        "{\"loss\": {\"sum\": 1, \"steps\": -1}}"})
    refused(counts + sums + "}", "damaged 'metric_sums");
  for (const char* text :
       {"", "[]", "{}", "{\"metrics\": 1}", "{\"metrics\": {\"loss\": \"low\"}}"})
    CHECK(read_state_metrics(text).empty());
}

TEST_CASE("resume: the newest whole checkpoint, a named one, or none; never a damaged one") {
  const test::TemporaryFolder folder;
  const RunFolder run(folder.path());
  CHECK_FALSE(run.load_checkpoint("auto"));
  CHECK_FALSE(run.load_checkpoint("never"));
  save(run.checkpoints(), 1, 1);
  save(run.checkpoints(), 2, 2);
  const fs::path first = run.checkpoints() / "step_000001",
                 second = run.checkpoints() / "step_000002";
  CHECK(run.load_checkpoint("auto")->directory.step == 2);
  CHECK(run.load_checkpoint(first)->directory.step == 1);
  CHECK_THROWS_WITH(run.load_checkpoint("never"), Contains("already holds checkpoints"));
  write_file_atomically(second / kStateFile, "{}");
  CHECK(run.load_checkpoint("auto")->directory.step == 1);
  CHECK_THROWS_WITH(run.load_checkpoint(second), Contains("state.json has 2 bytes instead of"));
  fs::remove(first / kStateFile);
  CHECK_THROWS_WITH(run.load_checkpoint("auto"), Contains("are damaged; to start anew"));
}
