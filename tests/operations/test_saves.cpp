// Saving on several ranks when the disk does not want to.
#include <fmt/format.h>
#include <signal.h>

#include <catch2/catch.hpp>
#include <fstream>

#include "checkpoint/step_directory.h"
#include "core/files.h"
#include "tests/operations/long_run.h"
#include "tests/support/ranks.h"

using namespace vllama;
using Catch::Contains;
namespace fs = std::filesystem;

namespace {

constexpr double kSaveEndSeconds = 30;

// All ranks must end and say that rank 0 could not save, why, and what is left.
void check_failed_save(const test::LongRun& run, test::Ranks& ranks, const std::string& reason) {
  for (std::size_t rank = 0; rank < 2; ++rank) {
    const auto outcome = ranks.wait(rank, kSaveEndSeconds);
    INFO("rank " << rank << ":\n" << outcome.output);
    CHECK(outcome.status == 1);
    CHECK_THAT(outcome.output, Contains("cannot save the checkpoint of step ") &&
                                   Contains(reason) && Contains("is intact") &&
                                   Contains("the same command goes on from it"));
    if (rank == 1) CHECK_THAT(outcome.output, Contains("rank 0 (") && Contains("failed in 'step "));
  }
  const auto steps = checkpoint::list_steps(run.folder() / "checkpoints");
  REQUIRE_FALSE(steps.empty());
  for (const auto& step : steps) {
    CHECK_FALSE(checkpoint::step_damage(step.path));
    CHECK(checkpoint::unnamed_files(step.path).empty());
  }
}

// Trains on from what is there, to a step that ends soon.
void check_goes_on(test::LongRun& run) {
  const std::int64_t step = checkpoint::list_steps(run.folder() / "checkpoints").back().step;
  run.config.training.steps_per_epoch = step + 5;
  for (const auto& outcome : test::Ranks(2, run.command("--accept-changes")).wait_all()) {
    INFO(outcome.output);
    CHECK(outcome.status == 0);
  }
  CHECK(fs::exists(run.folder() / "checkpoints" / fmt::format("step_{:06}", step + 5)));
}

}  // namespace

TEST_CASE("saves: a full disk ends all ranks, and the checkpoint before is intact") {
  test::LongRun run;
  run.config.checkpoints.every_steps = 5;
  const std::string command = run.command();
  // A limit on file sizes fails writes as a full disk does; the optimizer's file is above it once
  // rank 0 has it, which is when the first checkpoint is there.
  const fs::path limit = run.path("limit");
  const std::string limited = fmt::format(
      "sh -c \"trap '' XFSZ; (until [ -e '{}' ]; do sleep 0.02; done; prlimit --pid $$ "
      "--fsize=20000) & exec {}\"",
      limit.string(), command);
  test::Ranks ranks({limited, command});
  test::wait_for_file(run.folder() / "checkpoints/step_000005");
  write_file_atomically(limit, "");
  check_failed_save(run, ranks, "File too large");
  check_goes_on(run);
}

TEST_CASE("saves: a folder that becomes read-only ends all ranks") {
  test::LongRun run;
  run.config.checkpoints.every_steps = 5;
  const std::string command = run.command();
  const fs::path checkpoints = run.folder() / "checkpoints", flag = run.path("read_only");
  fs::create_directories(checkpoints);
  // In a mount namespace of its own rank 0 sees the folder turn read-only.
  const std::string mount = fmt::format("mount --bind '{0}' '{0}'", checkpoints.string());
  if (std::system(fmt::format("unshare -m sh -c \"{}\" 2>/dev/null", mount).c_str()) != 0) {
    std::cout << "SKIPPED saves: a read-only folder: this system does not permit mounting\n";
    return;
  }
  const std::string shut_in = fmt::format(
      "unshare -m sh -c \"{} && (until [ -e '{}' ]; do sleep 0.02; done; "
      "until mount -o remount,bind,ro '{}' 2>/dev/null; do :; done) & exec {}\"",
      mount, flag.string(), checkpoints.string(), command);
  test::Ranks ranks({shut_in, command});
  test::wait_for_file(checkpoints / "step_000005");
  write_file_atomically(flag, "");
  check_failed_save(run, ranks, "Read-only file system");
  check_goes_on(run);
}

TEST_CASE("saves: all ranks fall back behind a checkpoint with one changed bit") {
  test::LongRun run;
  run.config.training.steps_per_epoch = 30;
  for (const auto& outcome : test::Ranks(2, run.command()).wait_all()) REQUIRE(outcome.status == 0);
  const std::string whole = test::saved_bytes(run.folder(), 30);
  const fs::path file = run.folder() / "checkpoints/step_000030/optimizer.safetensors";
  std::string bytes = read_file(file);
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 4);
  write_file_atomically(file, bytes);
  const auto outcomes = test::Ranks(2, run.command()).wait_all();
  CHECK(outcomes[0].status == 0);
  CHECK(outcomes[1].status == 0);
  CHECK_THAT(outcomes[0].output, Contains("step_000030") && Contains("is damaged and is skipped") &&
                                     Contains("resumed from") && Contains("step_000020"));
  CHECK(test::saved_bytes(run.folder(), 30) == whole);
}
