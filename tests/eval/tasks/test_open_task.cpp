// What is wrong with annotations is named; media that are missing or not asked about are told.
#include <catch2/catch.hpp>
#include <functional>

#include "core/error.h"
#include "eval/tasks/task_formats.h"
#include "tests/eval/tasks/task_folder.h"
#include "tests/support/logged_text.h"

using namespace vllama;
using Catch::Contains;
using test::TaskFolder;

namespace {

std::string line(const std::string& more) {
  return R"({"id":1,"video":"a","question":"What?","answer":"x")" + more + "}\n";
}

}  // namespace

TEST_CASE("tasks: formats are found by name, and by the settings that are theirs alone") {
  for (const std::string& name : eval::task_format_names())
    CHECK(eval::task_format(name).name == name);
  CHECK_THROWS_WITH(eval::task_format("msvd"), Contains("'msvd'") && Contains("msvd_captions"));
  CHECK(eval::formats_with_setting("media_names") == "msvd_qa or msvd_captions");
  CHECK(eval::formats_with_setting("split") == "msrvtt_captions");
  CHECK(eval::formats_with_setting("prompt").empty());
}

TEST_CASE("tasks: files that are no annotations are refused, those of broken rows with the first") {
  const TaskFolder folder({"a.mp4"});
  const auto fails = [&](const std::string& text, const std::string& expected) {
    INFO(text);
    const std::string error = test::refusal_of(folder.task("questions", text));
    CHECK_THAT(error, Contains(expected));
    CHECK_THAT(error, Contains("task 'task'"));
    CHECK_THAT(error, Contains("annotations.json"));
  };
  fails("", "is empty");
  fails("[]", "holds no row");
  fails("[1]", "row 1 (line 1): wrong_type: number, not an object");
  fails("{\"id\": \n", "is not valid JSON at byte");
  fails("id,video,question,answer\n1,a,What?,x\n", "a JSON list of objects, or a file with an");
  fails("[" + line("") + ",\n" + R"({"id":2,"video":"a","ques)", "is not closed");
  const std::string deep = std::string(200'000, '[') + std::string(200'000, ']');
  fails("[{\"id\": " + deep + "}]", "row 1 (line 1): not_json");
  fails("{\"id\": " + deep + "}\n", "nested more than 64 deep");
  fails(line("") + line(""), "row 2 (line 2): duplicate_id: '1' is there twice");
  fails(line(R"(,"vidoe":"b")"), "row 1 (line 1): unknown_key: 'vidoe'");
  fails(line(R"(,"vidoe":"b")") + "\n" + line(R"(,"start":3,"end":1)"),
        "row 1 (line 1): unknown_key: 'vidoe'; so none of its 2 rows can be used");
  fails(line(R"(,"image":"b.jpg")"), "many_media");
  fails(line(R"(,"options":["y","z"])"), "no_right_option");
  fails(line(R"(,"start":3,"end":1)"), "bad_time");
  fails(R"({"id":1,"video":"a","question":"What?"})", "missing_key");
  fails(R"({"id":[1],"video":"a","question":"What?","answer":"x"})", "wrong_type");
}

TEST_CASE("tasks: a broken row costs itself, is named, and counted") {
  const TaskFolder folder({"a.mp4"});
  const std::string first = line(""), last = R"({"id":9,"video":"a","question":"q","answer":"x"})";
  const auto open = [&](const std::string& text) {
    return eval::open_task(folder.task("questions", text));
  };
  for (const auto& [row, reason] : std::vector<std::pair<std::string, std::string>>{
           {R"({"id":2,"video":"a","question":"\ud83d","answer":"x"})", "not_json"},
           {"{\"id\":2,\"video\":\"\xe9\",\"question\":\"q\",\"answer\":\"x\"}", "not_json"},
           {R"({"id":2,"video":"a","question":"q","answer":"x",})", "not_json"},
           {R"({"id":2,"video":"a","question":[)", "not_json"},
           {R"({"id":2,"video":"a)", "not_json"},
           {"7", "wrong_type"},
           {R"({"id":[2],"video":"a","question":"q","answer":"x"})", "wrong_type"},
           {R"({"id":"","video":"a","question":"q","answer":"x"})", "missing_id"},
           {R"({"id":2,"video":"a","question":"q"})", "missing_key"},
           {R"({"id":2,"video":"a","question":"q","answers":[]})", "missing_answer"},
           {R"({"id":2,"video":"a","question":"q","answer":"x","vidoe":"b"})", "unknown_key"},
           {R"({"id":2,"video":"a","image":"b","question":"q","answer":"x"})", "many_media"},
           {R"({"id":2,"video":"a","question":"q","answer":"x","options":["y"]})",
            "no_right_option"},
           {R"({"id":2,"video":"a","question":"q","answer":"x","start":3,"end":1})", "bad_time"}}) {
    INFO(row);
    for (const std::string& text :
         {first + row + "\n" + last + "\n", "[" + first + "," + row + ",\n" + last + "\n]"}) {
      INFO(text);
      const eval::Task task = open(text);
      REQUIRE(task.questions.size() == 2);
      CHECK(task.questions[0].expected.id == "1");
      CHECK(task.questions[1].expected.id == "9");
      CHECK(task.rows.num_rows == 3);
      REQUIRE(task.rows.left_out.listed().size() == 1);
      CHECK(task.rows.left_out.listed()[0].reason == reason);
      CHECK_THAT(task.rows.left_out.listed()[0].place,
                 Contains("annotations.json': row 2 (line 2)"));
    }
  }
  // The last row of a file that was being written.
  CHECK(open(first + last + "\n" + last.substr(0, 20)).questions.size() == 2);
  CHECK(open(first).rows.left_out.total() == 0);
}

TEST_CASE("tasks: rows that are left out are told in one line, the first of them by name") {
  const TaskFolder folder({"a.mp4"});
  const auto told = [&](const std::string& text) {
    const test::LoggedText log;
    eval::open_task(folder.task("questions", text));
    return log.text();
  };
  CHECK_THAT(told(line("")), !Contains("left out"));
  CHECK_THAT(told(line("") + "{\n"), Contains("1 of 2 rows of the annotation is broken") &&
                                         Contains("row 2 (line 2): not_json") && !Contains("more"));
  const std::string many = told(line("") + "{\n7\n{}\n{\n{\n");
  CHECK_THAT(many, Contains("task task: 5 of 6 rows of the annotation are broken"));
  CHECK_THAT(many, Contains("row 3 (line 3): wrong_type") && Contains("row 4 (line 4)") &&
                       !Contains("row 5") && Contains("; and 2 more"));
}

TEST_CASE("tasks: broken rows of questions and answers in two files") {
  const TaskFolder folder({"a.mp4"});
  const auto question = [](int id) {
    return std::string(R"({"video_name":"a","question":"q","question_id":)")
        .append(std::to_string(id))
        .append("}\n");
  };
  const auto answer = [](int id) {
    return std::string(R"({"answer":"x","question_id":)").append(std::to_string(id)).append("}\n");
  };
  const auto config = [&](const std::string& questions, const std::string& answers) {
    auto task = folder.task("zero_shot_qa", questions);
    task.answers = folder.write("a.json", answers);
    return task;
  };
  const auto ids = [](const eval::Task& task) {
    std::string all;
    for (const eval::Question& asked : task.questions) all += asked.expected.id + " ";
    return all;
  };
  const std::string broken = "{\"question_id\": \n";
  // The answer to a broken question is of no use; a question whose answer is broken cannot be
  // asked.
  eval::Task task = eval::open_task(
      config(question(1) + broken + question(3), answer(1) + answer(2) + answer(3)));
  CHECK(ids(task) == "1 3 ");
  CHECK(task.rows.left_out.count_of_reason() ==
        std::map<std::string, std::int64_t>{{"not_json", 1}});
  task = eval::open_task(
      config(question(1) + question(2) + question(3), answer(1) + broken + answer(3)));
  CHECK(ids(task) == "1 3 ");
  REQUIRE(task.rows.left_out.total() == 1);
  CHECK(task.rows.left_out.listed()[0].reason == "missing_answer");
  CHECK_THAT(task.rows.left_out.listed()[0].detail, Contains("'2' has no answer in") &&
                                                        Contains("1 not_json") &&
                                                        Contains("a.json': row 2 (line 2)"));
  // Both in one row.
  task = eval::open_task(config(question(1) + broken, answer(1) + broken));
  CHECK(ids(task) == "1 ");
  CHECK(task.rows.left_out.total() == 1);
  // More than broken rows explain.
  CHECK_THAT(test::refusal_of(config(question(1) + question(2) + question(3), answer(1) + broken)),
             Contains("row 3 (line 3): missing_answer: '3' has no answer"));
  CHECK_THAT(test::refusal_of(config(question(1) + broken, answer(1) + answer(2) + answer(3))),
             Contains("2 answers have no question"));
  CHECK_THAT(test::refusal_of(config(question(1), answer(1) + answer(1))),
             Contains("a.json") && Contains("duplicate_id"));
  CHECK_THAT(test::refusal_of(config(question(1), broken + broken)), Contains("a.json"));
}

TEST_CASE("tasks: questions and answers that do not belong together") {
  const TaskFolder folder({"a.mp4"});
  auto config =
      folder.task("zero_shot_qa", R"([{"video_name":"a","question":"q","question_id":"1"}])");
  CHECK_THAT(test::refusal_of(config), Contains("answers is missing"));
  config.answers = folder.write("a.json", R"([{"answer":"x","question_id":"2"}])");
  CHECK_THAT(test::refusal_of(config), Contains("'1' has no answer"));
  config.answers = folder.write("a.json", R"([{"answer":"x","question_id":"1"},
                                              {"answer":"y","question_id":"2"}])");
  CHECK_THAT(test::refusal_of(config), Contains("1 answers have no question"));
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
  CHECK_THAT(test::refusal_of(config), Contains("no {}"));
  config.prompt = "";
  config.num_candidates = 5;
  CHECK_THAT(test::refusal_of(config), Contains("for tasks of captions"));
  config.num_candidates = 0;
  config.media_root = folder.path("nowhere");
  CHECK_THAT(test::refusal_of(config), Contains("nowhere"));
  config = folder.task("questions", R"({"id":2,"video":"gone","question":"?","answer":"x"})");
  CHECK_THAT(test::refusal_of(config), Contains("not one medium"));
  config.annotations = folder.path("no.json");
  CHECK_THAT(test::refusal_of(config), Contains("no.json"));
}
