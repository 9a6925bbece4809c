// A step is there whole or not at all, whatever interrupts or hinders its writer.
#include <fmt/format.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <iostream>
#include <set>

#include "checkpoint/step_directory.h"
#include "core/error.h"
#include "tests/checkpoint/sample_steps.h"
#include "tests/checkpoint/traced_child.h"
#include "tests/support/fixtures.h"
#include "tests/weights/no_exchange.h"

using namespace vllama;
using namespace vllama::checkpoint;
using namespace vllama::test;
using Catch::Contains;
namespace fs = std::filesystem;

namespace {

void skipped(const char* reason) {
  std::cout << "SKIPPED " << Catch::getResultCapture().getCurrentTestName() << ": " << reason
            << "\n";
}

// Steps 1 and 2 are there: replaces the second, saves a third, removes the first.
void replace_save_remove(const fs::path& root) {
  save_step(root, 2, contents_of(2));
  save_step(root, 3, contents_of(3));
  remove_steps(root, {{1, root / "step_000001"}});
}

bool has_hidden_entries(const fs::path& root) {
  for (const auto& entry : fs::directory_iterator(root))
    if (entry.path().filename().string().starts_with(".")) return true;
  return false;
}

bool is_hidden(const fs::path& path, const fs::path& root) {
  return path.lexically_relative(root).begin()->string().starts_with(".step_");
}

// Kills replace_save_remove() at the entry of every call that changes files, one after the other.
// Returns how many those are.
int kill_at_every_change(bool can_exchange) {
  for (int num_calls = 1;; ++num_calls) {
    const TemporaryFolder folder(folder_in_memory());
    save_step(folder.path(), 1, contents_of(1));
    save_step(folder.path(), 2, contents_of(2));
    TracedChild child([&] {
      if (!can_exchange) forbid_exchange();
      replace_save_remove(folder.path());
    });
    if (!child.is_traced()) return 0;
    std::optional<FileChange> last;
    for (int i = 0; i < num_calls; ++i) last = child.next();
    if (!last) return num_calls - 1;
    child.kill();
    INFO("killed before " << last->call << " " << last->path << " " << last->target);
    check_all_whole(folder.path());
    const auto found = load_newest_step(folder.path());
    REQUIRE(found);
    CHECK((!can_exchange || found->directory.step >= 2));

    remove_leftovers(folder.path());
    CHECK_FALSE(has_hidden_entries(folder.path()));
    check_all_whole(folder.path());
    CHECK(load_newest_step(folder.path())->directory.step >= 2);
    CHECK(list_steps(folder.path()).size() >= 2);
    CHECK(fs::exists(folder.path() / "step_000002"));
  }
}

}  // namespace

TEST_CASE("crash: a writer killed before any of its changes of files leaves whole steps") {
  const int num_changes = kill_at_every_change(true);
  if (num_changes == 0) return skipped("processes cannot be traced here");
  CHECK(num_changes > 50);
}

TEST_CASE("crash: the same on file systems that cannot exchange two names") {
  if (!can_forbid_exchange()) return skipped("system calls cannot be filtered here");
  const int num_changes = kill_at_every_change(false);
  if (num_changes == 0) return skipped("processes cannot be traced here");
  CHECK(num_changes > 50);
}

TEST_CASE(
    "crash: everything is on the disk before it gets its name, and the name before removals") {
  const TemporaryFolder folder;
  const fs::path& root = folder.path();
  save_step(root, 1, contents_of(1));
  save_step(root, 2, contents_of(2));
  TracedChild child([&] { replace_save_remove(root); });
  if (!child.is_traced()) return skipped("processes cannot be traced here");
  std::set<fs::path> unsynced;  // written, or a folder with changed entries
  int num_moved_into_place = 0, num_removed = 0;
  while (const auto change = child.next()) {
    INFO(change->call << " " << change->path << " " << change->target);
    if (change->call == "fsync") unsynced.erase(change->path);
    if (change->call == "write" || change->call == "create") unsynced.insert(change->path);
    if (change->call == "create") unsynced.insert(change->path.parent_path());
    if (change->call == "rename") {
      const bool is_folder = change->target.parent_path() == root;
      if (!is_folder) CHECK_FALSE(unsynced.contains(change->path));
      if (is_folder && !is_hidden(change->target, root)) {
        ++num_moved_into_place;
        for (const fs::path& path : unsynced) CHECK((path == root || !is_hidden(path, root)));
      }
      unsynced.insert(change->target.parent_path());
    }
    if (change->call == "remove") {
      ++num_removed;
      CHECK(is_hidden(change->path, root));
      if (change->path.parent_path().parent_path() == root) CHECK_FALSE(unsynced.contains(root));
    }
    // Only files of hidden folders are ever written or created.
    if (change->call == "write" || change->call == "create") CHECK(is_hidden(change->path, root));
  }
  CHECK(num_moved_into_place == 3);  // one is tried as a plain rename before it is an exchange
  CHECK(num_removed >= 12);          // two folders of five files each
  CHECK(list_steps(root).size() == 2);
}

TEST_CASE("crash: the newest step loads whenever its writer is killed") {
  constexpr int kNumKills = 60;
  const TemporaryFolder folder;
  save_step(folder.path(), 1, contents_of(1));
  std::int64_t last = 1;
  int num_interrupted = 0;
  for (int i = 0; i < kNumKills; ++i) {
    // Saves new steps and replaces the last one again and again until it is killed.
    Child child([&] {
      for (std::int64_t step = last;; ++step) {
        save_step(folder.path(), step, contents_of(step));
        remove_steps(folder.path(),
                     {{step - 2, folder.path() / fmt::format("step_{:06}", step - 2)}});
      }
    });
    ::usleep(static_cast<useconds_t>(1000 + 700 * i));
    REQUIRE(child.kill());
    num_interrupted += has_hidden_entries(folder.path()) ? 1 : 0;
    // Not merely some step: none may be damaged, and none may be lost.
    check_all_whole(folder.path());
    const auto newest = load_newest_step(folder.path());
    REQUIRE(newest);
    CHECK(newest->directory.step >= last);
    last = newest->directory.step;
  }
  CHECK(num_interrupted > kNumKills / 4);
}

TEST_CASE("crash: a step that cannot be written leaves nothing behind") {
  const TemporaryFolder folder;
  save_step(folder.path(), 1, contents_of(1));
  // A limit on the size of files hinders the first, the second, or a later file of the step.
  ::signal(SIGXFSZ, SIG_IGN);
  for (const rlim_t limit : {0, 10, 100, 500, 2000, 2100}) {
    const std::string message = text_from_child([&]() -> std::string {
      const rlimit sizes{limit, limit};
      ::setrlimit(RLIMIT_FSIZE, &sizes);
      save_step(folder.path(), 2, contents_of(2));
      return "saved";
    });
    INFO(limit);
    CHECK_THAT(message, Contains("cannot write") && Contains("step_000002"));
    CHECK(num_entries(folder.path()) == 1);
    check_all_whole(folder.path());
  }
  ::signal(SIGXFSZ, SIG_DFL);
}

TEST_CASE("crash: a full disk and a read-only one leave the steps that are there") {
  const TemporaryFolder folder;
  const std::string outcome = text_from_child([&]() -> std::string {
    if (!mount_small_disk(folder.path(), 64 << 10)) return "not permitted";
    std::string messages;
    std::int64_t step = 1;
    for (; messages.empty() && step < 100; ++step) {
      try {
        save_step(folder.path(), step, contents_of(step));
      } catch (const RunFailure& failure) {
        messages = failure.what();
      }
    }
    const auto report = [&](std::int64_t newest) {
      if (static_cast<std::int64_t>(list_steps(folder.path()).size()) != newest ||
          has_hidden_entries(folder.path()) ||
          load_newest_step(folder.path())->directory.step != newest)
        messages += "\nNOT INTACT";
    };
    report(step - 2);
    remove_steps(folder.path(), {{1, folder.path() / "step_000001"}});
    save_step(folder.path(), 1, contents_of(1));  // there is room again
    if (!make_disk_read_only(folder.path())) return "not permitted";
    try {
      save_step(folder.path(), step, contents_of(step));
    } catch (const RunFailure& failure) {
      messages += fmt::format("\n{}", failure.what());
    }
    report(step - 2);
    return messages;
  });
  if (outcome == "not permitted") return skipped("no file system can be mounted here");
  CHECK_THAT(outcome, Contains("cannot write") && Contains("No space left on device") &&
                          Contains("cannot create the folder") && Contains("Read-only") &&
                          !Contains("NOT INTACT"));
}
