// Steps are saved, listed, read and removed.
#include <catch2/catch.hpp>

#include "checkpoint/step_directory.h"
#include "core/error.h"
#include "core/files.h"
#include "tests/checkpoint/sample_steps.h"
#include "tests/support/fixtures.h"
#include "tests/weights/sample_files.h"

using namespace vllama;
using namespace vllama::checkpoint;
using namespace vllama::test;
using Catch::Contains;
namespace fs = std::filesystem;

TEST_CASE("a step comes back as it was saved") {
  const TemporaryFolder folder;
  const fs::path root = folder.path() / "checkpoints";
  CHECK(list_steps(root).empty());
  CHECK_FALSE(load_newest_step(root));
  const StepDirectory saved = save_step(root, 100, contents_of(100));
  CHECK(saved.path == root / "step_000100");
  CHECK(num_entries(saved.path) == 5);
  CHECK(num_entries(root) == 1);
  CHECK_FALSE(step_damage(saved.path));
  const LoadedStep loaded = load_step(saved.path);
  CHECK(loaded.directory.step == 100);
  check_is(loaded.contents, 100);
  save_step(root, 20, contents_of(20));
  save_step(root, 1'000'000, contents_of(1'000'000));
  REQUIRE(list_steps(root).size() == 3);
  CHECK(list_steps(root)[0].step == 20);
  const auto newest = load_newest_step(root);
  REQUIRE(newest);
  CHECK(newest->directory.path == root / "step_1000000");
  check_is(newest->contents, 1'000'000);
}

TEST_CASE("a step loads under any name of its folder, but not under another step's") {
  const TemporaryFolder folder;
  const fs::path saved = save_step(folder.path(), 5, contents_of(5)).path;
  CHECK(load_step(saved / "").directory.step == 5);
  fs::copy(saved, folder.path() / "best");
  CHECK(load_step(folder.path() / "best").directory.step == 5);
  fs::rename(saved, folder.path() / "step_000006");
  CHECK_THROWS_WITH(load_step(folder.path() / "step_000006"),
                    Contains("manifest.json is of step 5"));
}

TEST_CASE("a step of the same number is replaced") {
  const TemporaryFolder folder;
  save_step(folder.path(), 7, {{}, {{"state.json", "old"}}});
  save_step(folder.path(), 7, contents_of(7));
  check_is(load_step(folder.path() / "step_000007").contents, 7);
  CHECK(num_entries(folder.path()) == 1);
}

TEST_CASE("one text of a step is read alone, if it is as it was saved") {
  const TemporaryFolder folder;
  const fs::path step = save_step(folder.path(), 3, contents_of(3)).path;
  CHECK(read_step_text(step, "state.json") == "{\"step\": 3}");
  CHECK_FALSE(read_step_text(step, "other.json"));
  CHECK_FALSE(read_step_text(folder.path() / "step_000004", "state.json"));
  write_bytes(step / "trainable.safetensors", "damaged");
  CHECK(read_step_text(step, "state.json") == "{\"step\": 3}");
  write_bytes(step / "state.json", "{\"step\": 4}");
  CHECK_FALSE(read_step_text(step, "state.json"));
}

TEST_CASE("files that are not part of a step are named, and harm nothing") {
  const TemporaryFolder folder;
  const fs::path step = save_step(folder.path(), 3, contents_of(3)).path;
  CHECK(unnamed_files(step).empty());
  write_bytes(step / "notes.txt", "a good one");
  fs::create_directory(step / "export");
  CHECK(unnamed_files(step) == std::vector<std::string>{"export", "notes.txt"});
  CHECK_FALSE(step_damage(step));
  check_is(load_newest_step(folder.path())->contents, 3);
}

TEST_CASE("removed steps are gone, and what was loaded of them stays") {
  const TemporaryFolder folder;
  for (int step = 1; step <= 4; ++step) save_step(folder.path(), step, contents_of(step));
  const StepContents kept = load_step(folder.path() / "step_000003").contents;
  const auto steps = list_steps(folder.path());
  remove_steps(folder.path(), {steps[0], steps[2], {9, folder.path() / "step_000009"}});
  CHECK(num_entries(folder.path()) == 2);
  CHECK(list_steps(folder.path())[0].step == 2);
  CHECK(list_steps(folder.path())[1].step == 4);
  check_is(kept, 3);  // its files are gone, its tensors still map them
}

TEST_CASE("what a crash left is ignored, and removed at the start and by the next save") {
  const TemporaryFolder folder;
  const auto leave = [&] {
    fs::create_directory(folder.path() / ".step_000002.partial");
    write_bytes(folder.path() / ".step_000002.partial" / "trainable.safetensors", "half");
  };
  save_step(folder.path(), 1, contents_of(1));
  fs::create_directory(folder.path() / "step_3");
  fs::create_directory(folder.path() / "step_00000x");
  fs::create_directory(folder.path() / ".cache");
  leave();
  CHECK(load_newest_step(folder.path())->directory.step == 1);
  CHECK(list_steps(folder.path()).size() == 1);
  remove_leftovers(folder.path());
  CHECK_FALSE(fs::exists(folder.path() / ".step_000002.partial"));
  leave();
  save_step(folder.path(), 2, contents_of(2));
  CHECK_FALSE(fs::exists(folder.path() / ".step_000002.partial"));
  CHECK(fs::exists(folder.path() / "step_3"));  // not ours
  CHECK(fs::exists(folder.path() / ".cache"));
  remove_leftovers(folder.path() / "absent");
}

TEST_CASE("a step that was about to be replaced in two moves is put back") {
  const TemporaryFolder folder;
  const fs::path step = save_step(folder.path(), 7, contents_of(7)).path;
  const fs::path replaced = folder.path() / ".step_000007.replaced";
  fs::rename(step, replaced);
  remove_leftovers(folder.path());
  check_is(load_step(step).contents, 7);
  CHECK(num_entries(folder.path()) == 1);
  fs::copy(step, replaced);
  remove_leftovers(folder.path());
  check_is(load_step(step).contents, 7);
  CHECK(num_entries(folder.path()) == 1);
}

TEST_CASE("a folder of steps that cannot be listed is an error of the user's") {
  const TemporaryFolder folder;
  write_bytes(folder.path() / "checkpoints", "a file");
  CHECK_THROWS_AS(list_steps(folder.path() / "checkpoints"), UserError);
  CHECK_THROWS_AS(save_step(folder.path() / "checkpoints", 1, contents_of(1)), RunFailure);
}
