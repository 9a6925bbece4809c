// The file of earlier lines: what it keeps, whom it is for, and what it does not trip over.
#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>

#include "core/files.h"
#include "tests/support/fixtures.h"
#include "tools/terminal/line_history.h"

using namespace vllama;
using tools::LineHistory;
namespace fs = std::filesystem;

TEST_CASE("history: lines of several chats at once, without repetitions in a row") {
  const test::TemporaryFolder folder;
  const fs::path file = folder.path() / "state/vllama/chat_history";
  LineHistory one(file), other(file);
  one.add("a");
  one.add("a");
  other.add("b");
  one.add("c");
  CHECK(read_file(file) == "a\nb\nc\n");
  CHECK(LineHistory(file).lines() == std::vector<std::string>{"a", "b", "c"});
}

TEST_CASE("history: a file that others could read becomes private") {
  const test::TemporaryFolder folder;
  const fs::path file = folder.path() / "vllama/chat_history";
  fs::create_directories(file.parent_path());
  std::ofstream(file) << "old\n";
  fs::permissions(file, fs::perms(0644));
  LineHistory(file).add("new");
  CHECK(fs::status(file).permissions() == fs::perms(0600));
  CHECK(read_file(file) == "old\nnew\n");
}

TEST_CASE("history: a long file is cut to its newest lines, a strange one is left alone") {
  const test::TemporaryFolder folder;
  const fs::path file = folder.path() / "vllama/chat_history";
  fs::create_directories(file.parent_path());
  {
    std::ofstream text(file);
    for (int i = 0; i < 30'000; ++i)
      text << "line " << i << " and then some more of the same text\n";
  }
  LineHistory history(file);
  REQUIRE(history.lines().size() == 1000);
  CHECK(history.lines().back().starts_with("line 29999"));
  history.add("one more");
  CHECK(fs::file_size(file) < 1 << 17);
  CHECK(LineHistory(file).lines().back() == "one more");
  CHECK(fs::status(file).permissions() == fs::perms(0600));

  write_file_atomically(file, std::string(100'000, 'x') + "\n\n" + std::string("\0\x1b[31m", 6));
  CHECK(LineHistory(file).lines().size() == 1);
  fs::remove(file);
  REQUIRE(::mkfifo(file.c_str(), 0600) == 0);
  CHECK(LineHistory(file).lines().empty());
}

TEST_CASE("history: without a place for it, lines stay in memory") {
  const test::TemporaryFolder folder;
  std::ofstream(folder.path() / "file") << "x";
  LineHistory history(folder.path() / "file/vllama/chat_history");
  history.add("a");
  history.add("b");
  CHECK(history.lines() == std::vector<std::string>{"a", "b"});
  LineHistory nowhere{fs::path()};
  nowhere.add("a");
  CHECK(nowhere.lines().size() == 1);
}

TEST_CASE("history: where it lies") {
  const auto set = [](const char* state, const char* home) {
    ::setenv("XDG_STATE_HOME", state, 1);
    ::setenv("HOME", home, 1);
    return tools::chat_history_file();
  };
  const std::string home_before = std::getenv("HOME") == nullptr ? "" : std::getenv("HOME");
  CHECK(set("/a", "/b") == "/a/vllama/chat_history");
  CHECK(set("", "/b") == "/b/.local/state/vllama/chat_history");
  CHECK(set("relative", "/b") == "/b/.local/state/vllama/chat_history");
  CHECK(set("", "") == "");
  ::unsetenv("XDG_STATE_HOME");
  ::setenv("HOME", home_before.c_str(), 1);
}
