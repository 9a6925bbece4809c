// Every annotation format as it is published.
#include <catch2/catch.hpp>

#include "core/error.h"
#include "tests/eval/tasks/task_folder.h"

using namespace vllama;
using Catch::Contains;
using test::medium_of;
using test::TaskFolder;

TEST_CASE("readers: ActivityNet-QA joins by question_id and finds v_<name>") {
  const TaskFolder folder({"v_aB-1.mp4", "_x.mkv"});
  auto config = folder.task("activitynet_qa",
                            R"([{"video_name":"aB-1","question":"is it","question_id":"v_aB-1_2"},
                                {"video_name":"_x","question":"where","question_id":"v__x_1"},
                                {"video_name":"gone","question":"who","question_id":"v_gone_1"}])");
  config.answers = folder.write("a.json", R"([{"answer":"home","type":6,"question_id":"v__x_1"},
      {"answer":"yes","type":3,"question_id":"v_aB-1_2"},
      {"answer":"a man","type":5,"question_id":"v_gone_1"}])");
  const eval::Task task = eval::open_task(config);
  REQUIRE(task.questions.size() == 3);
  const auto& first = task.questions[0];
  CHECK(first.expected.id == "v_aB-1_2");
  CHECK(first.expected.references == std::vector<std::string>{"yes"});
  CHECK(first.expected.type == "3");
  CHECK(first.prompt == "is it");
  CHECK(medium_of(first) == "v_aB-1.mp4");
  CHECK(medium_of(task.questions[1]) == "_x.mkv");
  CHECK(medium_of(task.questions[2]) == "none");
}

TEST_CASE("readers: the fixture of ActivityNet-QA") {
  VLLAMA_SHARED_FILE(questions, "fixtures/annotations/activitynet_qa_val_q.json");
  VLLAMA_SHARED_FILE(answers, "fixtures/annotations/activitynet_qa_val_a.json");
  const TaskFolder folder({"TIEzvhv6xaI.mp4"});
  auto config = folder.task("activitynet_qa", "[]");
  config.annotations = questions.string();
  config.answers = answers.string();
  const eval::Task task = eval::open_task(config);
  CHECK(task.questions.size() == 18'000);
  CHECK(task.questions[0].expected.type == "3");
  CHECK(medium_of(task.questions[0]) == "TIEzvhv6xaI.mp4");
}

TEST_CASE("readers: MSVD-QA by its mapping, MSRVTT-QA by its numbers") {
  const TaskFolder folder({"abc_1_2.avi", "video1201.mp4"});
  auto msvd =
      folder.task("msvd_qa", R"([{"answer":"dog","id":12,"question":"what runs?","video_id":7}])");
  msvd.media_names = folder.write("youtube_mapping.txt", "xyz_0_1 vid6\nabc_1_2 vid7\n");
  CHECK(medium_of(eval::open_task(msvd).questions[0]) == "abc_1_2.avi");
  const auto msrvtt = folder.task(
      "msrvtt_qa",
      R"([{"answer":"dog","id":3,"question":"what?","video_id":1201,"category_id":1}])");
  const eval::Task task = eval::open_task(msrvtt);
  CHECK(task.questions[0].expected.id == "3");
  CHECK(medium_of(task.questions[0]) == "video1201.mp4");
  // As ALPRO has it: a row per line, no ids.
  const auto lines = folder.task("msrvtt_qa",
                                 "{\"answer\":\"dog\",\"question\":\"what?\",\"video_id\":"
                                 "\"video1201\",\"answer_type\":\"what\"}\n");
  CHECK(eval::open_task(lines).questions[0].expected.type == "what");
}

TEST_CASE("readers: the Video-ChatGPT benchmark numbers repeated videos") {
  const TaskFolder folder({"v.mp4"});
  const auto config = folder.task("video_chatgpt", R"([{"Q":"what","A":"a","video_name":"v"},
                                                       {"Q":"why","A":"b","video_name":"v"}])");
  const eval::Task task = eval::open_task(config);
  CHECK(task.questions[0].expected.id == "v_0");
  CHECK(task.questions[1].expected.id == "v_1");
  const auto pairs = folder.task("video_chatgpt_consistency",
                                 R"([{"Q1":"what","Q2":"which","A":"a","video_name":"v"}])");
  const eval::Task consistency = eval::open_task(pairs);
  REQUIRE(consistency.questions.size() == 2);
  CHECK(consistency.questions[1].expected.id == "v_0_q2");
  CHECK(consistency.questions[1].prompt == "which");
}

TEST_CASE("readers: MVBench has a file per task, options and parts of videos") {
  const TaskFolder folder({"clip.mp4"});
  folder.write("mvbench/action.json",
               R"([{"video":"clip.mp4","question":"What?","candidates":["run","sit"],
                    "answer":"sit","start":1.5,"end":3}])");
  auto config = folder.task("mvbench", "[]");
  config.annotations = folder.path("mvbench");
  const eval::Task task = eval::open_task(config);
  CHECK(task.kind == eval::AnswerKind::chosen);
  REQUIRE(task.questions.size() == 1);
  CHECK(task.questions[0].expected.type == "action");
  CHECK(task.questions[0].expected.options == std::vector<std::string>{"run", "sit"});
  CHECK(task.questions[0].medium->start_seconds == 1.5);
  CHECK(task.questions[0].medium->end_seconds == 3);
}

TEST_CASE("readers: captions are references of their medium") {
  const TaskFolder folder({"video0.mp4", "video1.mp4", "abc_12.flac"});
  auto msrvtt = folder.task("msrvtt_captions", R"({"videos":[
      {"video_id":"video0","split":"train"},{"video_id":"video1","split":"test"}],
      "sentences":[{"caption":"one","video_id":"video1","sen_id":0},
                   {"caption":"other","video_id":"video0","sen_id":1},
                   {"caption":"two","video_id":"video1","sen_id":2}]})");
  msrvtt.split = "test";
  const eval::Task task = eval::open_task(msrvtt);
  REQUIRE(task.questions.size() == 1);
  CHECK(task.questions[0].expected.references == std::vector<std::string>{"one", "two"});
  CHECK_THAT(task.questions[0].prompt, Contains("Describe"));

  auto sounds = folder.task("captions",
                            "audiocap_id,youtube_id,start_time,caption\n"
                            "1,abc,12,Rain\n2,abc,12,\"Rain, falling\"\n");
  sounds.caption_format = "audiocaps";
  const eval::Task heard = eval::open_task(sounds);
  REQUIRE(heard.questions.size() == 1);
  CHECK(heard.questions[0].expected.references.size() == 2);
  CHECK(medium_of(heard.questions[0]) == "abc_12.flac");
}

TEST_CASE("readers: captions to be told apart") {
  const TaskFolder folder({"a.mp4", "b.mp4", "c.mp4"});
  auto config = folder.task("msvd_captions", "a A cat\na One cat\nb A dog\nc A car\n");
  config.num_candidates = 2;
  const eval::Task task = eval::open_task(config);
  CHECK(task.kind == eval::AnswerKind::chosen);
  CHECK(task.questions[0].expected.options == std::vector<std::string>{"A cat", "A dog"});
  CHECK(task.questions[2].expected.options == std::vector<std::string>{"A car", "A cat"});
}

TEST_CASE("readers: probes as published, and made from lists of objects") {
  const TaskFolder folder({"1.jpg", "2.jpg"});
  const auto pope = folder.task("pope",
                                "{\"question_id\":1,\"image\":\"1.jpg\",\"text\":\"Is there a "
                                "dog?\",\"label\":\"no\",\"category\":\"random\"}\n");
  const eval::Task task = eval::open_task(pope);
  CHECK(task.questions[0].expected.references[0] == "no");
  CHECK(task.questions[0].expected.type == "random");
  const auto objects = folder.task("object_probes",
                                   R"([{"image":"1.jpg","objects":["dog","cat"]},
                                       {"image":"2.jpg","objects":["car","dog"]}])");
  const eval::Task probes = eval::open_task(objects);
  CHECK(probes.questions.size() > 6);
  CHECK(medium_of(probes.questions[0]) == "1.jpg");
}

TEST_CASE("readers: our own questions") {
  const TaskFolder folder({"a.mp4"});
  const auto config =
      folder.task("questions",
                  "{\"id\":1,\"video\":\"a\",\"question\":\"What?\",\"answers\":[\"x\","
                  "\"y\"],\"start\":1}\n");
  const eval::Task task = eval::open_task(config);
  CHECK(task.questions[0].expected.references.size() == 2);
  CHECK(task.questions[0].medium->start_seconds == 1);
}

TEST_CASE("readers: a broken row costs itself in every format") {
  const TaskFolder folder({"a.mp4", "b.mp4", "abc_1.flac"});
  // "id:reference+reference " of each question, and how many rows were left out of how many.
  const auto read = [](const eval::TaskConfig& config) {
    const eval::Task task = eval::open_task(config);
    std::string said;
    for (const eval::Question& question : task.questions) {
      said.append(question.expected.id).append(":");
      for (const std::string& text : question.expected.references) said.append(text).append(",");
      said += " ";
    }
    return said.append(std::to_string(task.rows.left_out.total()))
        .append("/")
        .append(std::to_string(task.rows.num_rows));
  };
  // Ids that are numbers of rows stay what they are.
  CHECK(read(folder.task("msvd_qa", R"([{"answer":"x","question":"q","video_id":"a"},
                                        {"answer":"y","question":"\udc00","video_id":"a"},
                                        {"answer":"z","question":"q","video_id":"a"}])")) ==
        "0:x, 2:z, 1/3");
  CHECK(read(folder.task("msrvtt_qa",
                         "{\"answer\":\"x\",\"question\":\"q\",\"video_id\":\"a\"}\n"
                         "{\"answer\":\"y\"}\n")) == "0:x, 1/2");
  CHECK(read(folder.task("video_chatgpt", R"([{"Q":"q","A":"x","video_name":"a"},
                                              {"A":"y","video_name":"a"},
                                              {"Q":"q","A":"z","video_name":"a"}])")) ==
        "a_0:x, a_2:z, 1/3");
  // Neither of a pair without the other.
  CHECK(read(folder.task("video_chatgpt_consistency",
                         R"([{"Q1":"q","A":"x","video_name":"a"},
                             {"Q1":"q","Q2":"r","A":"y","video_name":"a"}])")) ==
        "a_1_q1:y, a_1_q2:y, 1/2");
  folder.write("mvbench/one.json",
               R"([{"video":"a","question":"q","candidates":["x"],"answer":"y"},
                   {"video":"a","question":"q","candidates":["x"],"answer":"x"}])");
  folder.write("mvbench/two.json",
               R"([{"video":"a","question":"q","candidates":["x"],"answer":"x"}, 5])");
  auto mvbench = folder.task("mvbench", "[]");
  mvbench.annotations = folder.path("mvbench");
  CHECK(read(mvbench) == "one_0001:x, two_0000:x, 2/4");
  folder.write("mvbench/two.json", "[5]");
  CHECK_THROWS_WITH(eval::open_task(mvbench), Contains("two.json") && Contains("wrong_type"));
  CHECK(read(folder.task("pope", R"([{"question_id":1,"video":"a","text":"q","label":"maybe"},
                                     {"question_id":2,"video":"a","text":"q","label":"yes"}])")) ==
        "2:yes, 1/2");
  CHECK_THAT(read(folder.task("object_probes",
                              R"([{"video":"a","objects":["x"]},{"video":"b","objects":[""]},
                                  {"video":"c"},{"video":"b","objects":["y"]}])")),
             Catch::EndsWith(" 2/4") && Contains("b/random/"));
  // A caption costs itself, a video all of its captions.
  CHECK(read(folder.task("msrvtt_captions",
                         R"({"videos":[{"video_id":"a"},{"video_id":"\ud800"},{"video_id":"b"}],
      "sentences":[{"caption":"one","video_id":"a"},{"caption":"\ud83d","video_id":"a"},
                   {"caption":"two","video_id":"b"},{"caption":"other","video_id":"c"}]})")) ==
        "a:one, b:two, 2/7");
  CHECK_THROWS_WITH(eval::open_task(folder.task("msrvtt_captions", R"({"videos":[]})")),
                    Contains("no row"));
  CHECK_THROWS_WITH(
      eval::open_task(folder.task("msrvtt_captions", R"({"videos":[{"video_id":"a"}]})")),
      Contains("no key \"sentences\""));
  CHECK(read(folder.task("msvd_captions", "# of 2011\na A cat\nb\na One cat\n")) ==
        "a:A cat,One cat, 1/3");
  CHECK_THROWS_WITH(eval::open_task(folder.task("msvd_captions", "b\na\n")),
                    Contains("line 1: missing_caption") && Contains("none of its 2 rows"));
  auto sounds = folder.task("captions",
                            "audiocap_id,youtube_id,start_time,caption\n"
                            "1,abc,1,Rain\n2,abc,1,\"Rain, \n3,abc,1,Wind\n");
  sounds.caption_format = "audiocaps";
  CHECK(read(sounds) == "abc_1.flac:Rain,Wind, 1/3");
}
