// vllama chat in a terminal: lines are edited, earlier ones come back, and the keys of a shell
// work.
#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "core/files.h"
#include "tests/tools/chat_world.h"
#include "tests/tools/terminal.h"

using namespace vllama;
using Catch::Contains;
using namespace vllama::test;

namespace {

// With a state folder of its own; `locale` is any, of which the text must not depend.
std::string in_terminal(const ChatWorld& world, const std::string& locale = "C") {
  return fmt::format("export TERM=xterm LC_ALL={} HOME='{}' XDG_STATE_HOME='{}'; ", locale,
                     world.path("home").string(), world.path("state").string());
}

std::vector<std::string> questions_in(const std::filesystem::path& file) {
  std::vector<std::string> questions;
  const auto chat = nlohmann::json::parse(read_file(file));
  for (const auto& turn : chat["turns"]) questions.push_back(turn["question"]);
  return questions;
}

void say(Terminal& terminal, const std::string& keys, const std::string& reply) {
  terminal.wait_for("> ");
  terminal.type(keys + kEnter);
  terminal.wait_for(reply);
}

}  // namespace

TEST_CASE("chat in a terminal: wide letters are edited, and earlier lines come back") {
  const ChatWorld world;
  const std::string saved = world.path("chat.json").string();
  {
    Terminal terminal(world.chat() + "--max-new-tokens 3", in_terminal(world));
    terminal.wait_for("/help lists the commands");
    // The cursor is moved over two letters, one of them two columns wide; the x goes.
    say(terminal, std::string("Was zeigt 中x国?") + kLeft + kLeft + kBackspace, "cut off");
    say(terminal, std::string(kUp) + kHome + "Größe: ", "cut off");
    say(terminal, "/save " + saved, "Wrote");
    terminal.wait_for("> ");
    terminal.type(kControlD);
    CHECK(terminal.wait() == 0);
  }
  const std::vector<std::string> expected{"Was zeigt 中国?", "Größe: Was zeigt 中国?"};
  CHECK(questions_in(saved) == expected);

  const auto history = world.path("state/vllama/chat_history");
  CHECK(read_file(history) == expected[0] + "\n" + expected[1] + "\n/save " + saved + "\n");
  struct stat of_file {
  }, of_folder{};
  REQUIRE(::stat(history.c_str(), &of_file) == 0);
  REQUIRE(::stat(history.parent_path().c_str(), &of_folder) == 0);
  CHECK((of_file.st_mode & 0777) == 0600);
  CHECK((of_folder.st_mode & 0777) == 0700);

  // Another chat has the lines of the first.
  Terminal again(world.chat() + "--max-new-tokens 3", in_terminal(world, "C.UTF-8"));
  say(again, std::string(kUp) + kUp + kUp, "cut off");
  say(again, "/save! " + saved, "Replaced");
  say(again, "/quit", "");
  CHECK(again.wait() == 0);
  CHECK(questions_in(saved) == std::vector{expected[0]});
}

TEST_CASE("chat in a terminal: Ctrl-C gives up a line, and stops an answer") {
  const ChatWorld world;
  Terminal terminal(world.chat() + "--max-new-tokens 250", in_terminal(world));
  terminal.wait_for("> ");
  terminal.type(std::string("never asked") + kControlC);
  terminal.wait_for("> ");
  terminal.type(kControlC);
  say(terminal, "Hello?", "\n");
  // One that comes before the terminal knows of the answer counts for the next line.
  do terminal.type(kControlC);
  while (!terminal.shows("[stopped]", 100));
  const std::string saved = world.path("chat.json").string();
  terminal.type("/save " + saved + kEnter);
  terminal.wait_for("Wrote");
  CHECK(questions_in(saved) == std::vector<std::string>{"Hello?"});
  terminal.wait_for("> ");
  terminal.type(kControlD);
  CHECK(terminal.wait() == 0);
  CHECK_THAT(read_file(world.path("state/vllama/chat_history")), !Contains("never asked"));
}

TEST_CASE("chat in a terminal: Tab completes the name of a file") {
  const ChatWorld world;
  Terminal terminal(world.chat() + "--frames 2", in_terminal(world));
  const std::string clip = world.clip.string();
  terminal.wait_for("> ");
  terminal.type("/open " + clip.substr(0, clip.size() - 4) + "\t");
  terminal.wait_for(".mp4 ");  // behind a jump of the cursor
  terminal.type(kEnter);
  terminal.wait_for("Shown a video");
}

TEST_CASE("chat in a terminal without a cursor: lines as they are") {
  const ChatWorld world;
  Terminal terminal(world.chat() + "--max-new-tokens 3", in_terminal(world) + "export TERM=dumb; ");
  say(terminal, "Hello?", "cut off");
  terminal.wait_for("> ");
  terminal.type(kControlD);
  CHECK(terminal.wait() == 0);
  CHECK_FALSE(std::filesystem::exists(world.path("state")));
}
