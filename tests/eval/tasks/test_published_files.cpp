// Annotations of tasks as they come: encodings, lines and lists, numbers for texts, names of media.
#include <catch2/catch.hpp>

#include "core/error.h"
#include "tests/datasets/utf16_text.h"
#include "tests/eval/tasks/task_folder.h"

using namespace vllama;
using namespace std::string_literals;
using Catch::Contains;
using test::Bytes;
using test::medium_of;
using test::TaskFolder;

namespace {

struct Files {
  std::string format, annotations, answers = "";
};

// Every reader, with one question about a.mp4, or about video1.mp4.
const std::vector<Files>& files() {
  static const std::vector<Files> kPublished = {
      {"activitynet_qa", R"([{"video_name":"a","question":"q","question_id":"1"}])",
       R"([{"answer":"x","type":3,"question_id":"1"}])"},
      {"zero_shot_qa", R"([{"video_name":"a","question":"q","question_id":1}])",
       R"([{"answer":3,"question_id":1}])"},
      {"msvd_qa", R"([{"answer":"x","id":1,"question":"q","video_id":"a"}])"},
      {"msrvtt_qa", R"([{"answer":3,"id":1,"question":"q","video_id":1}])"},
      {"video_chatgpt", R"([{"Q":"q","A":3,"video_name":"a"}])"},
      {"video_chatgpt_consistency", R"([{"Q1":"q","Q2":"r","A":3,"video_name":"a"}])"},
      {"pope", R"([{"question_id":1,"video":"a","text":"q","label":"yes"}])"},
      {"object_probes", R"([{"video":"a","objects":["x","y"]},{"video":"b","objects":["z"]}])"},
      {"msrvtt_captions",
       R"({"videos":[{"video_id":"a","split":"test"}],"sentences":[{"video_id":"a","caption":3}]})"},
      {"msvd_captions", "a A caption.\n"},
      {"questions", R"([{"id":1,"video":"a","question":"q","answer":3,"options":[3,"x"]}])"},
  };
  return kPublished;
}

}  // namespace

TEST_CASE("published files: byte order marks and UTF-16 in every reader of a task") {
  const TaskFolder folder({"a.mp4", "video1.mp4", "b.mp4"});
  for (const Files& published : files()) {
    INFO(published.format);
    const auto read = [&](const auto& encoded) {
      auto config = folder.task(published.format, encoded(published.annotations));
      if (!published.answers.empty())
        config.answers = folder.write("answers.json", encoded(published.answers));
      return eval::open_task(config);
    };
    const eval::Task plain = read([](const std::string& text) { return text; });
    REQUIRE(plain.questions.at(0).medium);
    CHECK(medium_of(plain.questions[0]).ends_with(".mp4"));
    const auto check = [&](const auto& encoded) {
      const eval::Task task = read(encoded);
      REQUIRE(task.questions.size() == plain.questions.size());
      for (std::size_t i = 0; i < task.questions.size(); ++i)
        CHECK(task.questions[i].expected == plain.questions[i].expected);
    };
    check([](const std::string& text) { return "\xef\xbb\xbf" + text; });
    for (const Bytes order : {Bytes::little_first, Bytes::big_first})
      for (const bool has_mark : {true, false})
        check([&](const std::string& text) { return test::utf16_text(text, order, has_mark); });
    auto config = folder.task(published.format, "\x1f\x8b\x08\0"s);
    config.answers = config.annotations;
    CHECK_THAT(test::refusal_of(config), Contains("gzip"));
  }
}

TEST_CASE("published files: the mapping of MSVD and the names of objects, too") {
  const TaskFolder folder({"a.mp4"});
  auto config = folder.task("msvd_qa", R"([{"answer":"x","id":1,"question":"q","video_id":1}])");
  config.media_names = folder.write("names.txt", test::utf16_text("a vid1\n", Bytes::little_first));
  CHECK(medium_of(eval::open_task(config).questions.at(0)) == "a.mp4");
  config.media_names = folder.write("names.txt",
                                    "\xef\xbb\xbf"
                                    "a vid1\n");
  CHECK(medium_of(eval::open_task(config).questions.at(0)) == "a.mp4");
}

TEST_CASE("published files: numbers are their texts, lists may be joined, mistakes have a line") {
  const TaskFolder folder({"a.mp4", "video1.mp4"});
  const auto first = [&](const std::string& format, const std::string& text) {
    return eval::open_task(folder.task(format, text)).questions.at(0).expected;
  };
  CHECK(first("msrvtt_qa", R"([{"answer":3,"id":1,"question":"q","video_id":1}])").references ==
        std::vector<std::string>{"3"});
  const auto own =
      first("questions", R"([{"id":1,"video":"a","question":"q","answer":3,"options":[3,"x"]}])");
  CHECK(own.references == std::vector<std::string>{"3"});
  CHECK(own.options == std::vector<std::string>{"3", "x"});
  const std::string row = R"([{"id":1,"video":"a","question":"q","answer":"x"}])";
  const std::string other = R"([{"id":2,"video":"a","question":"q","answer":"x"}])";
  CHECK(eval::open_task(folder.task("questions", row + "\n" + other)).questions.size() == 2);
  const std::string over_lines =
      "{\n\"id\":1,\n\"video\":\"a\",\n\"question\":\"q\",\n\"answer\":\"x\"\n}\n";
  CHECK(eval::open_task(folder.task("questions", over_lines)).questions.size() == 1);
  const std::string broken = R"([{"id":1,"video":"a","question":"q","answer":"x"},
      {"id":2,"video":"a","question":"\ud83d","answer":"x"}])";
  const eval::Task task = eval::open_task(folder.task("questions", broken));
  CHECK(task.questions.size() == 1);
  CHECK_THAT(task.rows.left_out.summary(), Contains("row 2 (line 2)") && Contains("1 not_json"));
}

TEST_CASE(
    "published files: names of media are taken as they are, and all that were tried are told") {
  const TaskFolder folder(
      {"v_abc.mp4", "v_abc.mp4.mp4", "abc_12.5_20.0.mkv", " a b.mp4", "bare", "UP.MP4"});
  const auto medium = [&](const std::string& name) {
    return medium_of(
        eval::open_task(folder.task("questions", R"({"id":1,"video":")" + name +
                                                     R"(","question":"q","answer":"x"})"))
            .questions.at(0));
  };
  CHECK(medium("v_abc.mp4") == "v_abc.mp4");
  CHECK(medium("v_abc") == "v_abc.mp4");
  CHECK(medium("abc_12.5_20.0") == "abc_12.5_20.0.mkv");
  CHECK(medium(" a b") == " a b.mp4");
  CHECK(medium(" a b.mp4") == " a b.mp4");
  CHECK(medium("bare") == "bare");
  CHECK(medium("UP") == "UP.MP4");
  const auto config =
      folder.task("questions", R"({"id":1,"video":"gone.x","question":"q","answer":"x"})");
  CHECK_THAT(test::refusal_of(config),
             Contains("'gone.x'") && Contains("'gone.x.mp4'") && Contains("'gone.x.webm'"));
  auto qa = folder.task("activitynet_qa",
                        R"([{"video_name":"gone.mp4","question":"q","question_id":"1"}])");
  qa.answers = folder.write("answers.json", R"([{"answer":"x","question_id":"1"}])");
  CHECK_THAT(test::refusal_of(qa), Contains("'v_gone.mp4', 'gone.mp4'") && !Contains("mp4.mp4"));
}

TEST_CASE("published files: the report's MSRVTT-QA with a byte order mark") {
  VLLAMA_SHARED_FILE(file, "reports/annotations/msrvtt_bom.json");
  const TaskFolder folder({"video7010.mp4", "video7011.mp4"});
  auto config = folder.task("msrvtt_qa", "[]");
  config.annotations = file.string();
  const eval::Task task = eval::open_task(config);
  REQUIRE(task.questions.size() == 2);
  CHECK(medium_of(task.questions[1]) == "video7011.mp4");
}
