// What is wrong with annotations is named; media that are missing or not asked about are told.
#include <catch2/catch.hpp>
#include <functional>

#include "core/error.h"
#include "tests/eval/tasks/task_folder.h"

using namespace vllama;
using Catch::Contains;
using test::TaskFolder;

namespace {

std::string error_of(const eval::TaskConfig& config) {
  try {
    eval::open_task(config);
  } catch (const UserError& error) {
    return error.what();
  }
  return "no error";
}

std::string line(const std::string& more) {
  return R"({"id":1,"video":"a","question":"What?","answer":"x")" + more + "}\n";
}

}  // namespace

TEST_CASE("tasks: mistakes in annotations are named with file and row") {
  const TaskFolder folder({"a.mp4"});
  const auto fails = [&](const std::string& text, const std::string& expected) {
    INFO(text);
    const std::string error = error_of(folder.task("questions", text));
    CHECK_THAT(error, Contains(expected));
    CHECK_THAT(error, Contains("task 'task'"));
    CHECK_THAT(error, Contains("annotations.json"));
  };
  fails("", "is empty");
  fails("[]", "holds no row");
  fails("[1]", "row 1 is not an object");
  fails("{\"id\": \n", "line 1 is not JSON");
  const std::string deep = std::string(200'000, '[') + std::string(200'000, ']');
  fails("[{\"id\": " + deep + "}]", "row 1 in line 1 is nested more than 64 deep");
  fails("{\"id\": " + deep + "}\n", "line 1 is nested more than 64 deep");
  fails(line("") + line(""), "row 2: duplicate_id: '1' is there twice");
  fails(line(R"(,"vidoe":"b")"), "row 1: unknown_key: 'vidoe'");
  fails(line(R"(,"image":"b.jpg")"), "many_media");
  fails(line(R"(,"options":["y","z"])"), "no_right_option");
  fails(line(R"(,"start":3,"end":1)"), "bad_time");
  fails(R"({"id":1,"video":"a","question":"What?"})", "missing_key");
  fails(R"({"id":[1],"video":"a","question":"What?","answer":"x"})", "wrong_type");
}

TEST_CASE("tasks: questions and answers that do not belong together") {
  const TaskFolder folder({"a.mp4"});
  auto config =
      folder.task("zero_shot_qa", R"([{"video_name":"a","question":"q","question_id":"1"}])");
  CHECK_THAT(error_of(config), Contains("answers is missing"));
  config.answers = folder.write("a.json", R"([{"answer":"x","question_id":"2"}])");
  CHECK_THAT(error_of(config), Contains("'1' has no answer"));
  config.answers = folder.write("a.json", R"([{"answer":"x","question_id":"1"},
                                              {"answer":"y","question_id":"2"}])");
  CHECK_THAT(error_of(config), Contains("1 answers have no question"));
}

TEST_CASE("tasks: media that are not there, and settings that do not fit") {
  const TaskFolder folder({"a.mp4", "b.mp4", "notes.txt"});
  auto config =
      folder.task("questions", line("") + R"({"id":2,"video":"gone","question":"?","answer":"x"})");
  const eval::Task task = eval::open_task(config);
  CHECK(task.questions[0].medium.has_value());
  CHECK_FALSE(task.questions[1].medium.has_value());
  CHECK(task.num_unused_media == 1);

  config.max_questions = 1;
  CHECK(eval::open_task(config).questions.size() == 1);
  config.prompt = "{} Answer briefly.";
  CHECK(eval::open_task(config).questions[0].prompt == "What? Answer briefly.");
  config.prompt = "Answer.";
  CHECK_THAT(error_of(config), Contains("no {}"));
  config.prompt = "";
  config.num_candidates = 5;
  CHECK_THAT(error_of(config), Contains("for tasks of captions"));
  config.num_candidates = 0;
  config.media_root = folder.path("nowhere");
  CHECK_THAT(error_of(config), Contains("nowhere"));
  config = folder.task("questions", R"({"id":2,"video":"gone","question":"?","answer":"x"})");
  CHECK_THAT(error_of(config), Contains("not one medium"));
  config.annotations = folder.path("no.json");
  CHECK_THAT(error_of(config), Contains("no.json"));
}
