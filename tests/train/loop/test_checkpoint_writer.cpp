// Checkpoints are written beside the training, and what goes wrong there is known to it.
#include <ATen/ops/full.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <iostream>
#include <random>

#include "core/error.h"
#include "core/files.h"
#include "core/log.h"
#include "tests/support/child.h"
#include "tests/support/fixtures.h"
#include "train/loop/checkpoint_writer.h"

using namespace vllama;
using namespace vllama::train;
using Catch::Contains;
namespace fs = std::filesystem;

namespace {

using Tensors = std::map<std::string, weights::NamedTensors>;

const std::map<std::string, std::string> kTexts = {{"config.yaml", "seed: 1\n"},
                                                   {"more.json", "{}\n"}};

// Tensors that say everywhere which step they belong to.
Tensors tensors_of(std::int64_t step, std::int64_t num_elements = 5000) {
  const at::Tensor tensor = at::full({num_elements}, static_cast<double>(step), at::kFloat);
  return {{"trainable", {{"w", tensor}, {"b", tensor.slice(0, 0, 3)}}},
          {"optimizer", {{"w.exp_avg", tensor}, {"step", at::full({}, step, at::kLong)}}}};
}

void check_is(const checkpoint::LoadedStep& loaded, std::int64_t step) {
  CHECK(loaded.directory.step == step);
  const Tensors expected = tensors_of(step);
  REQUIRE(loaded.contents.tensors.size() == expected.size());
  for (const auto& [file, named] : expected) {
    REQUIRE(loaded.contents.tensors.at(file).size() == named.size());
    for (const auto& [name, tensor] : named)
      CHECK(loaded.contents.tensors.at(file).at(name).equal(tensor));
  }
  CHECK(read_progress(loaded.contents).num_steps_done == step);
  for (const auto& [name, text] : kTexts) CHECK(loaded.contents.texts.at(name) == text);
}

void save(CheckpointWriter& writer, std::int64_t step, double loss = 1) {
  writer.save({.num_steps_done = step}, tensors_of(step), {{"loss", loss}});
}

std::vector<std::int64_t> listed_steps(const fs::path& root) {
  std::vector<std::int64_t> steps;
  for (const auto& directory : checkpoint::list_steps(root)) steps.push_back(directory.step);
  return steps;
}

bool is_being_written(const fs::path& root) {
  std::error_code error;
  for (fs::directory_iterator entry(root, error), end; !error && entry != end;
       entry.increment(error))
    if (entry->path().filename().string().starts_with(".")) return true;
  return false;
}

std::string message_of(const std::function<void()>& work) {
  try {
    work();
    return "no failure";
  } catch (const RunFailure& failure) {
    return failure.what();
  }
}

void limit_file_size(rlim_t num_bytes) {
  const rlimit sizes{num_bytes, RLIM_INFINITY};
  ::signal(SIGXFSZ, SIG_IGN);
  ::setrlimit(RLIMIT_FSIZE, &sizes);
}

}  // namespace

TEST_CASE("writer: what is saved is the moment of the call") {
  const test::TemporaryFolder folder;
  const fs::path root = folder.path() / "run/checkpoints";
  CheckpointWriter writer(root, {.keep_last = 10}, kTexts);
  const Tensors tensors = tensors_of(1);
  writer.save({.num_steps_done = 1}, tensors, {});
  tensors.at("trainable").at("w").fill_(-1);  // training goes on, also in the views
  tensors.at("optimizer").at("step").fill_(-1);
  writer.wait();
  check_is(*checkpoint::load_newest_step(root), 1);
  save(writer, 2);
  save(writer, 3);
  writer.wait();
  for (int step = 1; step <= 3; ++step)
    check_is(checkpoint::load_step(root / fmt::format("step_{:06}", step)), step);
}

TEST_CASE("writer: other tensors than before are saved as they are") {
  const test::TemporaryFolder folder;
  CheckpointWriter writer(folder.path(), {}, kTexts);
  writer.save({.num_steps_done = 1},
              {{"trainable", {{"w", at::full({7, 2}, 1, at::kHalf)}, {"old", at::full({1}, 1)}}},
               {"other", {{"x", at::full({1}, 1)}}}},
              {});
  save(writer, 2);
  writer.wait();
  check_is(*checkpoint::load_newest_step(folder.path()), 2);
}

TEST_CASE("writer: the end of its life waits for the save") {
  const test::TemporaryFolder folder;
  {
    CheckpointWriter writer(folder.path(), {}, kTexts);
    save(writer, 1);
  }
  check_is(*checkpoint::load_newest_step(folder.path()), 1);
}

TEST_CASE("writer: a save that comes too early waits for the one before, and says so once") {
  const test::TemporaryFolder folder;
  log::also_to_file(folder.path() / "log.txt");
  spdlog::set_level(spdlog::level::warn);
  {
    CheckpointWriter writer(folder.path() / "checkpoints", {.keep_last = 10}, kTexts);
    for (std::int64_t step = 1; step <= 4; ++step)
      writer.save({.num_steps_done = step}, tensors_of(step, 8 << 20), {});
  }
  log::quiet();
  const std::string logged = read_file(folder.path() / "log.txt");
  const std::size_t first = logged.find("is still being written");
  CHECK(first != std::string::npos);
  CHECK(logged.find("is still being written", first + 1) == std::string::npos);
  CHECK(listed_steps(folder.path() / "checkpoints") == std::vector<std::int64_t>{1, 2, 3, 4});
  for (const auto& step : checkpoint::list_steps(folder.path() / "checkpoints"))
    CHECK_FALSE(checkpoint::step_damage(step.path));
}

TEST_CASE("writer: the rules of retention hold after every save, also across runs") {
  const test::TemporaryFolder folder;
  const CheckpointConfig rules{.keep_last = 2, .keep_every_steps = 30, .keep_best = 1};
  const std::vector<double> losses = {5, 1, 4, 3, 2, 6, 7};
  for (std::size_t i = 0; i < losses.size(); ++i) {
    CheckpointWriter writer(folder.path(), rules, kTexts);
    save(writer, 10 * static_cast<std::int64_t>(i + 1), losses[i]);
  }
  CHECK(listed_steps(folder.path()) == std::vector<std::int64_t>{20, 30, 60, 70});
}

TEST_CASE("writer: two processes do not save into one folder") {
  const test::TemporaryFolder folder;
  {
    const CheckpointWriter writer(folder.path(), {}, {});
    CHECK_THROWS_WITH(CheckpointWriter(folder.path(), {}, {}),
                      Contains("another process is saving into"));
    CHECK_THAT(test::text_from_child([&] {
                 const CheckpointWriter second(folder.path(), {}, {});
                 return std::string("saving");
               }),
               Contains("another process is saving into"));
  }
  CHECK_NOTHROW(CheckpointWriter(folder.path(), {}, {}));
  write_file_atomically(folder.path() / "file", "");
  CHECK_THROWS_AS(CheckpointWriter(folder.path() / "file", {}, {}), UserError);
}

TEST_CASE("writer: a failed save is thrown once, and names what is intact") {
  const test::TemporaryFolder folder;
  const std::string outcome = test::text_from_child([&] {
    std::string messages;
    CheckpointWriter writer(folder.path(), {}, kTexts);
    limit_file_size(10'000);
    save(writer, 1);
    messages += message_of([&] { writer.wait(); }) + "\n";
    limit_file_size(RLIM_INFINITY);
    save(writer, 2);
    writer.wait();
    limit_file_size(10'000);
    save(writer, 3);
    messages += message_of([&] { save(writer, 4); }) + "\n";
    save(writer, 5);
    for (std::string found = "no failure"; found == "no failure"; ::usleep(1000))
      if ((found = message_of([&] { writer.check(); })) != "no failure") messages += found + "\n";
    messages += message_of([&] { writer.wait(); }) + "\n";
    save(writer, 6);  // fails in the destructor, which does not throw
    return messages;
  });
  const auto check_told = [&](int step, const std::string& intact) {
    CHECK_THAT(outcome, Contains(fmt::format(
                            "cannot save the checkpoint of step {}: cannot write '", step)) &&
                            Contains("File too large; " + intact));
  };
  const std::string second = (folder.path() / "step_000002").string();
  check_told(1, "there is no intact checkpoint");
  check_told(3, "the checkpoint '" + second + "' is intact");
  check_told(5, "the checkpoint '" + second + "' is intact");
  CHECK_THAT(outcome, Contains("no failure") && !Contains("step 4") && !Contains("step 6"));
  CHECK(listed_steps(folder.path()) == std::vector<std::int64_t>{2});
  check_is(*checkpoint::load_newest_step(folder.path()), 2);
}

TEST_CASE(
    "writer: a full and a read-only disk leave the checkpoint before, and the message says so") {
  const test::TemporaryFolder folder;
  const std::string outcome = test::text_from_child([&]() -> std::string {
    if (!test::mount_small_disk(folder.path(), 140 << 10)) return "not permitted";
    CheckpointWriter writer(folder.path(), {.keep_last = 100}, kTexts);
    const std::string full = message_of([&] {
      for (std::int64_t step = 1; step <= 10; ++step) save(writer, step);
    });
    const auto newest = checkpoint::load_newest_step(folder.path());
    if (!test::make_disk_read_only(folder.path())) return "not permitted";
    save(writer, 20);
    const std::string read_only = message_of([&] { writer.wait(); });
    check_is(*newest, newest->directory.step);
    return fmt::format("{}\n{}\n{}", newest->directory.step, full, read_only);
  });
  if (outcome == "not permitted") {
    std::cout << "SKIPPED a full and a read-only disk: no file system can be mounted here\n";
    return;
  }
  const std::string intact = "the checkpoint '" + (folder.path() / "step_000002").string() + "' is";
  CHECK_THAT(outcome, Contains("2\ncannot save the checkpoint of step 3: cannot write '") &&
                          Contains("No space left on device; " + intact) &&
                          Contains("of step 20: cannot create the folder") &&
                          Contains("Read-only file system; " + intact));
}

TEST_CASE("writer: killed at any moment, whole checkpoints stay and the rest goes at the start") {
  constexpr int kNumKills = 100, kNumSaves = 20;
  unsigned max_microseconds = 10'000;
  const test::TemporaryFolder folder(test::folder_in_memory());
  std::mt19937 random(11);
  const CheckpointConfig rules{.keep_last = 2, .keep_every_steps = 500, .keep_best = 1};
  std::int64_t last = 0;
  int num_interrupted = 0;
  for (int i = 0; i < kNumKills || last <= kNumSaves; ++i) {
    const std::int64_t last_before = last;
    test::Child child([&] {
      CheckpointWriter writer(folder.path(), rules, kTexts);
      // The last one is replaced first.
      for (std::int64_t step = std::max<std::int64_t>(last, 1);; ++step)
        save(writer, step, 1.0 / static_cast<double>(1 + step % 7));
    });
    ::usleep(static_cast<useconds_t>(1000 + random() % max_microseconds));
    // Every other time at once when a save is seen.
    constexpr int kMaxLooks = 100'000;
    for (int looks = i % 2 == 0 ? 0 : kMaxLooks; looks < kMaxLooks; ++looks)
      if (is_being_written(folder.path())) break;
    REQUIRE(child.kill());
    num_interrupted += is_being_written(folder.path()) ? 1 : 0;
    for (const auto& [step, path] : checkpoint::list_steps(folder.path())) {
      INFO(path);
      CHECK(checkpoint::unnamed_files(path).empty());
      check_is(checkpoint::load_step(path), step);
    }
    const auto newest = checkpoint::load_newest_step(folder.path());
    REQUIRE((newest || last == 0));
    if (newest) CHECK(newest->directory.step >= last);
    if (newest) last = newest->directory.step;
    // A busy machine may take longer for a save.
    if (last == last_before) max_microseconds += max_microseconds / 10;
  }
  CHECK(num_interrupted > kNumKills / 10);
  const CheckpointWriter writer(folder.path(), rules, {});
  CHECK_FALSE(is_being_written(folder.path()));
}
