// vllama toy-world as a user runs it: what it says, and that a call that was killed goes on.
#include <catch2/catch.hpp>
#include <chrono>
#include <csignal>
#include <map>
#include <thread>

#include "core/files.h"
#include "tests/support/fixtures.h"
#include "tests/support/folder_contents.h"
#include "tests/tools/program.h"

using namespace vllama;
using Catch::Contains;
namespace fs = std::filesystem;

namespace {

constexpr const char* kSizes =
    " --seed 3 --videos 30 --images 5 --test 3 --sounds 2 --movers 2 --workers 2";

std::string command(const fs::path& folder, const std::string& more = kSizes) {
  return "toy-world '" + folder.string() + "'" + more;
}

std::int64_t num_clips(const fs::path& folder) {
  std::error_code error;
  std::int64_t count = 0;
  for (const auto& entry : fs::directory_iterator(folder / "videos/train", error))
    count += entry.path().extension() == ".mp4" ? 1 : 0;
  return count;
}

}  // namespace

TEST_CASE("toy-world: a call that is stopped leaves whole files alone, and the next one goes on") {
  const test::TemporaryFolder folder(test::folder_in_memory());
  const fs::path whole = folder.path() / "whole", torn = folder.path() / "torn";
  const auto first = test::run_program(command(whole));
  CAPTURE(first.output);
  REQUIRE(first.status == 0);
  CHECK_THAT(first.output, Contains("wrote 78 files"));
  const auto expected = test::folder_contents(whole);
  for (const int signal : {SIGKILL, SIGINT}) {
    test::BackgroundProgram program(command(torn));
    const auto before = num_clips(torn);
    while (num_clips(torn) < before + 3) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    program.signal(signal);
    CHECK(program.wait() == 128 + signal);
    for (const auto& [name, bytes] : test::folder_contents(torn))
      if (!name.ends_with(".tmp")) CHECK(expected.at(name) == bytes);
  }
  const auto last = test::run_program(command(torn));
  CHECK_THAT(last.output, Contains("were there"));
  CHECK(test::folder_contents(torn) == expected);
  const auto again = test::run_program(command(torn));
  CHECK_THAT(again.output, Contains("wrote 0 files") && Contains("; 78 were there"));
}

TEST_CASE("toy-world: mistakes") {
  const test::TemporaryFolder folder;
  const auto refuses = [](const std::string& arguments, const std::string& named) {
    const auto outcome = test::run_program(arguments);
    CAPTURE(outcome.output);
    CHECK(outcome.status == 2);
    CHECK_THAT(outcome.output, Contains(named));
  };
  refuses("toy-world", "folder is required");
  refuses(command(folder.path() / "w", " --videos 0"), "--videos is 0, but must be 1 to 1000000");
  refuses(command(folder.path() / "w", " --images 99999999999"), "--images is 99999999999");
  refuses(command(folder.path() / "w", " --videos many"), "--videos");
  refuses(command(folder.path() / "w", " --seed -1 --videos 1"), "--seed");
  refuses(command(folder.path() / "w", " --workers 0"), "--workers");
  CHECK(fs::is_empty(folder.path()));
  write_file_atomically(folder.path() / "letter.txt", "dear");
  refuses(command(folder.path()), "is not empty and holds no world.json");
  refuses(command(folder.path() / "letter.txt"), "cannot be created");
}
