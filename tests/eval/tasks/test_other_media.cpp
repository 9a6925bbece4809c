// Controls of an evaluation: other media, and none.
#include <catch2/catch.hpp>
#include <map>
#include <set>

#include "core/error.h"
#include "tests/eval/tasks/task_folder.h"

using namespace vllama;
using Catch::Contains;
using test::medium_of;
using test::TaskFolder;

namespace {

const std::vector<std::string> kFiles = {"a.mp4", "b.mp4", "c.mp4", "d.mp4", "e.jpg", "f.jpg"};

// Two questions about each medium, and one whose medium is not there.
eval::TaskConfig task_of(const TaskFolder& folder, const std::vector<std::string>& files) {
  std::string rows;
  int id = 0;
  for (int round = 0; round < 2; ++round)
    for (const std::string& file : files)
      rows += "{\"id\":" + std::to_string(++id) + R"(,"video":")" + file +
              R"(","question":"What?","answer":"x"})" + "\n";
  return folder.task("questions",
                     rows + R"({"id":0,"video":"gone","question":"What?","answer":"x"})");
}

std::map<std::string, std::string> shown_by_name(const eval::Task& task) {
  std::map<std::string, std::string> shown;
  for (const eval::Question& question : task.questions) {
    const auto [known, is_new] = shown.emplace(question.expected.video, medium_of(question));
    CHECK(known->second == medium_of(question));
  }
  return shown;
}

}  // namespace

TEST_CASE("media: other is a ring over the media of a kind, and never the own one") {
  const TaskFolder folder(kFiles);
  auto config = task_of(folder, kFiles);
  config.media = eval::TaskMedia::other;
  const eval::Task task = eval::open_task(config);
  const auto shown = shown_by_name(task);
  std::set<std::string> all;
  for (const std::string& file : kFiles) {
    INFO(file);
    CHECK(shown.at(file) != file);
    CHECK(shown.at(file).substr(1) == file.substr(1));  // of the same kind
    all.insert(shown.at(file));
  }
  CHECK(all.size() == kFiles.size());
  for (const eval::Question& question : task.questions) {
    CHECK(question.prompt == "What?");
    CHECK(question.expected.shown == (question.medium ? medium_of(question) : ""));
  }
  CHECK(shown.at("gone") == "none");

  SECTION("it is the same for fewer questions, and another with another seed") {
    config.max_questions = 3;
    for (const auto& [name, other] : shown_by_name(eval::open_task(config)))
      CHECK(other == shown.at(name));
    config.max_questions = 0;
    std::set<std::string> seen;
    for (config.control_seed = 0; config.control_seed < 8; ++config.control_seed)
      seen.insert(shown_by_name(eval::open_task(config)).at("a.mp4"));
    CHECK(seen.size() > 1);
  }
  SECTION("a kind with one medium has no other") {
    auto single = task_of(folder, {"a.mp4", "b.mp4", "e.jpg"});
    single.media = eval::TaskMedia::other;
    CHECK_THROWS_WITH(eval::open_task(single),
                      Contains("task 'task'") && Contains("two different"));
  }
}

TEST_CASE("media: none asks everything, also where there is no file") {
  const TaskFolder folder({"a.mp4"});
  auto config = task_of(folder, {"a.mp4"});
  config.media = eval::TaskMedia::none;
  for (const eval::Question& question : eval::open_task(config).questions) {
    CHECK_FALSE(question.medium);
    CHECK(question.expected.shown == eval::kNothingShown);
    CHECK(question.expected.medium_name() == "nothing for " + question.expected.video);
  }
}
