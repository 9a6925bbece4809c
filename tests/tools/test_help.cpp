// Command lines from outside: help that fits a plain terminal, the version, and names that were
// mistyped.
#include <catch2/catch.hpp>
#include <set>
#include <sstream>

#include "tests/tools/program.h"

using namespace vllama;
using Catch::Contains;

namespace {

constexpr std::size_t kColumns = 80;

std::string help_of(const std::string& command) {
  const auto help = test::run_program(command + " --help");
  INFO(command);
  CHECK(help.status == 0);
  return help.output;
}

// The words at the beginning of the lines below "Subcommands:".
std::vector<std::string> commands_in(const std::string& help) {
  std::vector<std::string> commands;
  std::istringstream lines(help);
  bool is_list = false;
  for (std::string line; std::getline(lines, line);) {
    if (line == "Subcommands:")
      is_list = true;
    else if (line.empty())
      is_list = false;
    else if (is_list && line.starts_with("  ") && line[2] != ' ')
      commands.push_back(line.substr(2, line.find(' ', 2) - 2));
  }
  return commands;
}

// Of the command and all below it; returns their number.
int check_width(const std::string& command) {
  const std::string help = help_of(command);
  std::istringstream lines(help);
  for (std::string line; std::getline(lines, line);) {
    INFO(command << " --help: " << line);
    CHECK(line.size() <= kColumns);
    CHECK((line.empty() || line.back() != ' '));
  }
  int count = 1;
  for (const std::string& next : commands_in(help)) count += check_width(command + " " + next);
  return count;
}

}  // namespace

TEST_CASE("help: no line of any command is wider than a plain terminal") {
  CHECK(check_width("") > 25);
}

TEST_CASE("help: every key of a run with its default, and what it is for below") {
  CHECK_THAT(help_of("train"), Contains("\n  training.batch_size: ") &&
                                   Contains("\n      samples in an optimizer step"));
}

TEST_CASE("a command that does not exist is refused with the one that was meant") {
  const auto expect = [](const std::string& arguments, const std::string& message) {
    INFO(arguments);
    const auto outcome = test::run_program(arguments);
    CHECK(outcome.status == 2);
    CHECK_THAT(outcome.output, Contains(message));
  };
  expect("trian", "there is no command 'vllama trian'; did you mean train?");
  expect("trian x.yaml --set a=b", "did you mean train?");
  expect("Train", "did you mean train?");
  expect("evaluate x.yaml", "did you mean eval?");
  expect("fly", "vllama --help lists them");
  expect("bench stpe", "there is no command 'vllama bench stpe'; did you mean step?");
  expect("bench data indx", "there is no command 'vllama bench data indx'; did you mean index?");
  expect("train x.yaml --resum never",
         "vllama train has no option '--resum'; did you mean --resume?");
  expect("train x.yaml --dryrun", "did you mean --dry-run?");
  expect("check x.yaml --colour=red", "vllama check has no option '--colour=red'");
  expect("check a.yaml b.yaml", "vllama check does not know what to do with 'b.yaml'");
  expect("--verison", "vllama has no option '--verison'; did you mean --version?");
}

TEST_CASE("the version") {
  const auto outcome = test::run_program("--version");
  CHECK(outcome.status == 0);
  CHECK_THAT(outcome.output, Catch::Matches("vllama [0-9]+\\.[0-9]+\\.[0-9]+\\n"));
}
