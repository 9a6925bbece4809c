// What judges are given, and what is made of their replies.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/files.h"
#include "core/random.h"
#include "eval/scores/judge_files.h"
#include "eval/scores/score.h"
#include "tests/datasets/utf16_text.h"
#include "tests/support/fixtures.h"

using namespace vllama;
using namespace vllama::eval;
using nlohmann::json;

namespace {

const JudgeFacts kFacts = {"gpt-3.5-turbo", "0613", "9f86d081", "2026-11-21"};

Prediction answered(const std::string& id, const std::string& video) {
  Prediction prediction{.id = id, .video = video};
  prediction.question = "q" + id;
  prediction.references = {"a" + id};
  prediction.prediction = "p" + id;
  return prediction;
}

std::vector<Prediction> predictions() {
  return {answered("3", "v_x"), answered("1", "v_y"), answered("2", "v_x")};
}

JudgeReplies all_replies_from(const std::string& content) {
  const test::TemporaryFolder folder;
  write_file_atomically(folder.path() / "replies.json", content);
  return read_judge_replies(folder.path() / "replies.json", predictions());
}

std::vector<JudgeReply> replies_from(const std::string& content) {
  return all_replies_from(content).of_predictions;
}

}  // namespace

TEST_CASE("judge files keep the order of the annotation") {
  const test::TemporaryFolder folder;
  const auto path = folder.path() / "judge.json";
  std::vector<Prediction> rows = predictions();
  rows[1].status = "undecodable";
  write_judge_file(path, rows);
  CHECK(json::parse(read_file(path)) ==
        json::parse(R"([{"video_name":"v_x","Q":"q3","A":"a3","pred":"p3"},
                        {"video_name":"v_y","Q":"q1","A":"a1","pred":""},
                        {"video_name":"v_x","Q":"q2","A":"a2","pred":"p2"}])"));
  write_judge_file_with_ids(path, {rows[0]});
  CHECK(json::parse(read_file(path)) ==
        json::parse(R"([{"id":"3","question":"q3","answer":"a3","pred":"p3"}])"));
  write_judge_consistency_file(path, {rows[0]}, {rows[2]});
  CHECK(json::parse(read_file(path)) ==
        json::parse(R"([{"video_name":"v_x","Q1":"q3","Q2":"q2","A":"a3","pred1":"p3",
                         "pred2":"p2"}])"));
  CHECK_THROWS_WITH(write_judge_consistency_file(path, {rows[0]}, {rows[1]}),
                    Catch::Contains("v_x") && Catch::Contains("v_y"));
  CHECK_THROWS_AS(write_judge_consistency_file(path, rows, {rows[1]}), UserError);
  rows[0].references.clear();
  CHECK_THROWS_WITH(write_judge_file(path, rows), Catch::Contains("'3'"));
}

TEST_CASE("repeated video names are numbered") {
  CHECK(judge_keys(predictions()) == std::vector<std::string>{"v_x_0", "v_y_0", "v_x_1"});
}

TEST_CASE("replies are JSON or Python dictionaries") {
  const auto reply = [](const std::string& text) { return parse_judge_reply(text, "here"); };
  CHECK(reply("{'pred': 'Yes', 'score': 4.8}").verdict == "yes");
  CHECK(reply("{'pred': 'Yes', 'score': 4.8}").score == 4);
  CHECK(reply(R"({"pred":"no","score":0})").score == 0);
  CHECK(reply(" {'pred' : \"it's \\'no\\'\", 'score': '5', } ").verdict == "it's 'no'");
  CHECK(reply("{'score': 3}").verdict.empty());
  for (const std::string text :
       {"", "yes", "{'pred': 'yes'}", "{'score': 7}", "{'score': -1}", "{'score': nan}",
        "{'score': 4", "{'score': 4} x", "{'score': '4.8'}", "{'pred': 5, 'score': 4}",
        "{'score': __import__('os')}", "[4]", "{'score': [4]}", "{'pred': 'yes\\"}) {
    INFO(text);
    CHECK_THROWS_WITH(reply(text), Catch::StartsWith("here: "));
  }
}

TEST_CASE("the judging program's file is read by key") {
  const auto replies = replies_from(
      R"({"v_x_1": [{"pred":"yes","score":5}, {"q":"q2"}], "v_x_0": "{'pred': 'no', 'score': 1}"})");
  REQUIRE(replies.size() == 3);
  CHECK(replies[0].verdict == "no");
  CHECK_FALSE(replies[1].is_there);
  CHECK(replies[2].score == 5);
  CHECK_THROWS_WITH(replies_from(R"({"v_z_0": {"score":5}})"), Catch::Contains("'v_z_0'"));
  CHECK_THROWS_WITH(replies_from("{}"), Catch::Contains("no replies"));
  CHECK_THROWS_WITH(replies_from("[]"), Catch::Contains("must be an object"));
  CHECK_THROWS_WITH(replies_from(""), Catch::Contains("not valid JSON"));
  CHECK_THROWS_WITH(replies_from(R"({"v_x_0": 4)"), Catch::Contains("not valid JSON"));
  CHECK_THROWS_WITH(replies_from(R"({"v_x_0": {"score":4}} {})"), Catch::Contains("behind"));
  CHECK_THROWS_WITH(replies_from(R"({"v_x_0": []})"), Catch::Contains("'v_x_0'"));
}

TEST_CASE("a reply that cannot be read is as if it were not there, and is told of") {
  for (const std::string broken :
       {R"("v_y_0": ["I cannot judge this.", {}])", R"("v_y_0": {"pred":"yes","score":9})",
        R"("v_y_0": {"pred":"\ud83d","score":4})", R"("v_y_0": null)",
        R"("\udc00": {"score":4})"}) {
    INFO(broken);
    const JudgeReplies replies =
        all_replies_from(R"({"v_x_0": {"score":3}, )" + broken + R"(, "v_x_1": {"score":5}})");
    REQUIRE(replies.of_predictions.size() == 3);
    CHECK(replies.of_predictions[0].score == 3);
    CHECK_FALSE(replies.of_predictions[1].is_there);
    CHECK(replies.of_predictions[2].score == 5);
    REQUIRE(replies.unreadable.size() == 1);
    CHECK_THAT(replies.unreadable[0], Catch::Contains("replies.json"));
  }
  CHECK(all_replies_from(R"({"v_x_0": {"score":3}})").unreadable.empty());
  CHECK_THROWS_WITH(all_replies_from(R"({"v_y_0": "no", "v_x_0": "yes"})"),
                    Catch::Contains("'v_y_0'"));
}

TEST_CASE("replies may have a byte order mark or be UTF-16") {
  const std::string text = R"({"v_x_0": {"pred":"yes","score":5}})";
  for (const std::string& content :
       {"\xef\xbb\xbf" + text, test::utf16_text(text, test::Bytes::little_first),
        test::utf16_text(text, test::Bytes::big_first, /*has_mark=*/false)})
    CHECK(replies_from(content).at(0).score == 5);
  CHECK_THROWS_WITH(replies_from("PAR1"), Catch::Contains("Parquet"));
}

TEST_CASE("replies that are nested too deep to be shown are mistakes") {
  const std::string deep = std::string(200'000, '[') + std::string(200'000, ']');
  CHECK_THROWS_WITH(replies_from(R"({"v_x_0": {"score": )" + deep + "}}"),
                    Catch::Contains("nested more than 64 deep"));
  CHECK_THROWS_WITH(parse_judge_reply(R"({"score": )" + deep + "}", "here"),
                    Catch::StartsWith("here: "));
}

TEST_CASE("accuracy and score of a judge carry its facts") {
  std::vector<JudgeReply> replies = {{true, "yes", 4}, {}, {true, "no", 1}};
  const auto measurements = judge_measurements(predictions(), replies, kFacts);
  REQUIRE(measurements.size() == 2);
  const Score accuracy = score(measurements[0]), mean = score(measurements[1]);
  CHECK(accuracy.name == "judge_accuracy");
  CHECK(accuracy.value == 0.5);
  CHECK(accuracy.num_missing == 1);
  CHECK(mean.value == 2.5);
  CHECK(mean.facts.at("judge_version") == "0613");
  CHECK(mean.facts.at("judge_prompt_hash") == "9f86d081");
  // "yes" is looked for first; a verdict with neither is not counted.
  replies = {{true, "yes or no", 4}, {true, "maybe", 2}, {true, "nope", 1}};
  const auto unclear = judge_measurements(predictions(), replies, kFacts);
  CHECK(score(unclear[0]).value == 0.5);
  CHECK(score(unclear[1]).value == Approx(7.0 / 3));
  // Benchmarks give no verdict.
  CHECK(judge_measurements(predictions(), {{true, "", 4}, {}, {}}, kFacts).size() == 1);
}

TEST_CASE("scores of a judge that is not named are refused") {
  const std::vector<JudgeReply> replies = {{true, "yes", 4}, {}, {}};
  CHECK_THROWS_WITH(judge_measurements(predictions(), {{}, {}, {}}, kFacts),
                    Catch::Contains("none of the predictions"));
  const JudgeFacts without_version = {"gpt-3.5-turbo", " ", "9f86d081", "2026-11-21"};
  CHECK_THROWS_WITH(judge_measurements(predictions(), replies, without_version),
                    Catch::Contains("version"));
  JudgeFacts facts = kFacts;
  facts.prompt_hash.clear();
  CHECK_THROWS_WITH(judge_measurements(predictions(), replies, facts),
                    Catch::Contains("prompt hash"));
  for (const std::string date : {"", "yesterday", "21.11.2026", "2026-11-2x"}) {
    facts = kFacts;
    facts.date = date;
    CHECK_THROWS_WITH(judge_measurements(predictions(), replies, facts),
                      Catch::Contains("YYYY-MM-DD"));
  }
}

TEST_CASE("damaged replies are mistakes that are named, whatever the damage") {
  const std::string reply = "{'pred': 'ye\\'s', \"score\": 4.5}";
  RandomStream stream(12);
  for (int i = 0; i < 5000; ++i) {
    std::string damaged = reply;
    for (std::uint64_t j = stream.below(3); j < 3; ++j)
      damaged[stream.below(damaged.size())] = static_cast<char>(stream.below(256));
    if (stream.below(4) == 0) damaged.resize(stream.below(damaged.size()));
    try {
      parse_judge_reply(damaged, "here");
    } catch (const UserError& problem) {
      CHECK(std::string(problem.what()).starts_with("here: "));
    }
  }
}
