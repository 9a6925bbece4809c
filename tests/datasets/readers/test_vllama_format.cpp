// Our own annotation format: what it can say, what is wrong with a line, and converting into it.
#include <catch2/catch.hpp>

#include "core/error.h"
#include "core/files.h"
#include "core/random.h"
#include "datasets/convert/convert.h"
#include "tests/datasets/annotation_file.h"
#include "tests/datasets/equal_records.h"

namespace vllama::datasets {
namespace {

using Catch::Matchers::Contains;
namespace fs = std::filesystem;
using text::MediaPlace;

const std::string kGood = R"({"id":"good","caption":"A boat.","media":[{"video":"g.mp4"}]})";

// The reason and detail for which the second line is left out.
tables::EntryTally::Entry line_fault(const std::string& line) {
  const AnnotationFile file(kGood + "\n" + line + "\n", "rows.jsonl");
  const auto dataset = file.open("vllama");
  CHECK(dataset->size() == 1);
  REQUIRE(dataset->invalid().listed().size() == 1);
  CHECK(dataset->invalid().listed()[0].place == file.path().string() + ":2");
  return dataset->invalid().listed()[0];
}

std::string messages(const std::string& list) {
  return R"({"id":"1","messages":[)" + list + "]}";
}

std::string user(const std::string& content) {
  return R"({"role":"user","content":)" + content + "}";
}

const std::string kAnswer = R"(,{"role":"assistant","content":"Yes."})";

std::string question(const std::string& parts) {
  return messages(user("[" + parts + "]") + kAnswer);
}

void check_equal(const Record& actual, const Record& expected) {
  check_equal_but_sources(actual, expected);
  for (std::size_t i = 0; i < expected.media.size(); ++i)
    CHECK(actual.media[i].source == expected.media[i].source);
}

// Converts a data set, reads the result with the same root, and compares record by record.
void check_round_trip(const AnnotationFile& file, const std::string& format,
                      const fs::path& media_root, const std::string& image_prefix = "") {
  INFO(format << " below " << media_root);
  const auto dataset = file.open(format, media_root, image_prefix);
  const test::TemporaryFolder folder;
  const fs::path output = folder.path() / "out.jsonl";
  CHECK(convert(*dataset, media_root, output) == dataset->size());
  DatasetConfig config;
  config.name = config.format = "vllama";
  config.annotations = output;
  config.media_root = media_root;
  const auto converted = open_dataset(config);
  CHECK(converted->invalid().total() == 0);
  REQUIRE(converted->size() == dataset->size());
  for (std::int64_t i = 0; i < dataset->size(); ++i)
    check_equal(converted->record(i), dataset->record(i));
}

}  // namespace

TEST_CASE("vllama: conversations about several media of every kind") {
  const std::string compare =
      user(R"([{"text":"Compare "},{"image":"a.jpg"},{"text":" with "},)"
           R"({"video":"/v/b.mp4","start":1.5,"end":4},{"audio":"../c.wav","end":2}])");
  const std::string both =
      R"(,{"role":"assistant","content":[{"text":"Both "},{"text":"bark."}]},)";
  const std::string rest =
      user("\"Why?\"") + kAnswer + "," + user(R"([{"image":"d.png"}])") + kAnswer;
  const AnnotationFile file("\xEF\xBB\xBF" + messages(compare + both + rest) + "\r\n\n  \n" + kGood,
                            "rows.jsonl");
  const auto dataset = file.open("vllama");
  REQUIRE(dataset->size() == 2);
  CHECK(dataset->invalid().total() == 0);
  const Record record = dataset->record(0);
  CHECK(record.id == "1");
  REQUIRE(record.media.size() == 4);
  CHECK(record.media[0].source == "M/a.jpg");
  CHECK(record.media[0].kind == MediaKind::image);
  CHECK(record.media[1].source == "/v/b.mp4");
  CHECK(record.media[1].kind == MediaKind::video);
  CHECK(record.media[1].start_seconds == 1.5);
  CHECK(record.media[1].end_seconds == 4);
  CHECK(record.media[2].source == "M/../c.wav");
  CHECK(record.media[2].kind == MediaKind::sound);
  CHECK(record.media[2].end_seconds == 2);
  CHECK(record.conversation.media ==
        std::vector{MediaPlace{0, 8}, MediaPlace{0, 14}, MediaPlace{0, 14}, MediaPlace{2, 0}});
  REQUIRE(record.conversation.turns.size() == 3);
  CHECK(record.conversation.turns[0].question == "Compare  with ");
  CHECK(record.conversation.turns[0].answer == "Both bark.");
  CHECK(record.conversation.turns[1].question == "Why?");
  CHECK(record.conversation.turns[2].question.empty());
  CHECK(dataset->record(1).conversation.is_caption());
  CHECK(dataset->record(1).conversation.turns[0].answer == "A boat.");
}

TEST_CASE("vllama: every kind of bad line has its reason, its place and a word of advice") {
  const std::string image = R"({"image":"a.jpg"})", ask = user("[" + image + "]");
  CHECK(line_fault("{").reason == "not_json");
  CHECK(line_fault(R"({"id":"1","caption":NaN,"media":[]})").reason == "not_json");
  CHECK(line_fault(R"({"id":"1","caption":"caf)"
                   "\xE9\"}")
            .reason == "not_json");
  CHECK(line_fault(R"({"id":1e400,"caption":"x"})").reason == "not_json");
  CHECK(line_fault(std::string(100000, '[')).reason == "not_json");
  CHECK(line_fault("7").reason == "wrong_type");
  const auto deep = line_fault(std::string(100000, '[') + std::string(100000, ']'));
  CHECK(deep.reason == "not_json");
  CHECK_THAT(deep.detail, Catch::Contains("nested more than 64 deep"));
  const auto long_key =
      line_fault(R"({"id":"1","messages":[],")" + std::string(100000, 'k') + "\":1}");
  CHECK(long_key.reason == "unknown_key");
  CHECK(long_key.detail.size() == tables::EntryTally::kMaxDetailBytes);
  CHECK(line_fault(R"({"id":"1"})").reason == "missing_key");
  CHECK(line_fault(R"({"id":true,"messages":[]})").reason == "wrong_type");
  CHECK(line_fault(R"({"messages":[]})").reason == "missing_id");
  CHECK(line_fault(R"({"id":"","messages":[]})").reason == "missing_id");
  CHECK(line_fault(messages("")).reason == "no_turns");
  CHECK(line_fault(R"({"id":"1","messages":{}})").reason == "wrong_type");
  CHECK(line_fault(R"({"id":"1","messages":[],"caption":"x"})").reason == "unknown_key");
  CHECK_THAT(line_fault(R"({"id":"1","messages":[],"lang":"x"})").detail,
             Contains("'lang' in a conversation") && Contains("id, messages"));
  CHECK(line_fault(messages(R"({"role":"system","content":"x"},)" + ask + kAnswer)).reason ==
        "unknown_role");
  CHECK(line_fault(messages(ask + "," + ask + kAnswer)).reason == "broken_order");
  CHECK(line_fault(messages(ask + kAnswer + kAnswer)).reason == "broken_order");
  CHECK(line_fault(messages(kAnswer.substr(1) + "," + ask + kAnswer)).reason == "broken_order");
  CHECK(line_fault(messages(ask)).reason == "missing_answer");
  CHECK(line_fault(messages(ask + R"(,{"role":"assistant","content":" "})")).reason ==
        "missing_answer");
  CHECK(
      line_fault(messages(ask + R"(,{"role":"assistant","content":[{"image":"b.jpg"}]})")).reason ==
      "media_in_answer");
  CHECK(line_fault(messages(user("\"x\"") + kAnswer)).reason == "text_only");
  CHECK(line_fault(messages(user("5") + kAnswer)).reason == "wrong_type");
  CHECK(line_fault(messages(R"({"role":"user"})" + kAnswer)).reason == "missing_key");
  CHECK(line_fault(question(R"({"vidoe":"a.mp4"})")).reason == "unknown_key");
  CHECK(line_fault(question(R"({"image":"a.jpg","start":1})")).reason == "unknown_key");
  CHECK(line_fault(question(R"({"text":"x","end":1})")).reason == "unknown_key");
  CHECK(line_fault(question(R"({"image":"a.jpg","video":"b.mp4"})")).reason == "many_media");
  CHECK(line_fault(question(R"({"start":1})")).reason == "missing_media");
  CHECK(line_fault(question(R"({"video":""})")).reason == "missing_media");
  CHECK(line_fault(question(R"({"video":7})")).reason == "wrong_type");
  CHECK(line_fault(question(R"({"video":"a.mp4","start":2,"end":1})")).reason == "bad_time");
  CHECK(line_fault(question(R"({"video":"a\u0000.mp4"})")).reason == "bad_path");
  CHECK(line_fault(question(R"({"video":"https://e.org/a.mp4"})")).reason == "url");
  CHECK_THAT(line_fault(question(R"({"video":"s3://b/a.mp4"})")).detail, Contains("download it"));
  CHECK(line_fault(R"({"id":"1","caption":" ","media":[{"image":"a.jpg"}]})").reason ==
        "missing_caption");
  CHECK(line_fault(R"({"id":"1","caption":null,"media":[{"image":"a.jpg"}]})").reason ==
        "missing_caption");
  CHECK(line_fault(R"({"id":"1","caption":"x"})").reason == "missing_key");
  CHECK(line_fault(R"({"id":"1","caption":"x","media":[]})").reason == "missing_media");
  CHECK(line_fault(R"({"id":"1","caption":"x","media":[{"text":"y"}]})").reason == "missing_media");
}

TEST_CASE("vllama: files that are no such data set are refused") {
  CHECK_THROWS_WITH(AnnotationFile("[" + kGood + "]").open("vllama"), Contains("JSON array"));
  CHECK_THROWS_WITH(AnnotationFile("").open("vllama"), Contains("no valid line"));
  CHECK_THROWS_WITH(AnnotationFile("{}\n").open("vllama"),
                    Contains("1 missing_id") && Contains("rows.json:1"));
  DatasetConfig config;
  config.name = config.format = "vllama";
  config.annotations = "/nonexistent.jsonl";
  config.media_root = "M";
  CHECK_THROWS_WITH(open_dataset(config), Contains("/nonexistent.jsonl"));
}

TEST_CASE("vllama: duplicate ids and keys are counted and kept") {
  const AnnotationFile file(
      kGood + "\n" + kGood + "\n" + R"({"id":"x","id":"y","caption":"c","media":[{"image":"a"}]})",
      "rows.jsonl");
  const auto dataset = file.open("vllama");
  REQUIRE(dataset->size() == 3);
  CHECK(dataset->record(2).id == "y");
  CHECK(dataset->doubtful().count_of_reason() == Counts{{"duplicate_id", 1}, {"duplicate_key", 1}});
  CHECK_THAT(dataset->doubtful().summary(), Contains("rows.jsonl:2 ('good' occurred before)"));
  CHECK(dataset->doubtful().listed()[1].place == file.path().string() + ":3");
}

TEST_CASE("vllama: every line of a file larger than the scan window is found") {
  constexpr std::int64_t kLines = 60000;
  std::string content;
  for (std::int64_t i = 0; i < kLines; ++i)
    content += R"({"id":)" + std::to_string(i) + R"(,"caption":")" + std::string(100, 'x') +
               R"(","media":[{"audio":"a rather long name of a folder/sound.wav"}]})" + "\n" +
               (i % 1000 == 0 ? "\n" : "");
  const AnnotationFile file(content, "large.jsonl");
  CHECK(fs::file_size(file.path()) > 10'000'000);
  const auto dataset = file.open("vllama");
  REQUIRE(dataset->size() == kLines);
  CHECK(dataset->doubtful().total() == 0);
  for (std::int64_t i = 0; i < kLines; i += 997) CHECK(dataset->record(i).id == std::to_string(i));
}

TEST_CASE("vllama: a file that changes while it is in use fails the run, not a sample") {
  const AnnotationFile file(kGood + "\n" + question(R"({"image":"a.jpg"})"), "rows.jsonl");
  const auto dataset = file.open("vllama");
  std::string content = read_file(file.path());
  content.replace(content.find("assistant"), 9, "asdfghjkl");
  std::fstream(file.path(), std::ios::in | std::ios::out | std::ios::binary) << content;
  CHECK_NOTHROW(dataset->record(0));
  CHECK_THROWS_AS(dataset->record(1), RunFailure);
}

TEST_CASE("vllama: random damage makes a line invalid or another record, never more") {
  const std::string line = question(
      R"({"video":"a.mp4","start":1.5,"end":2e3},{"text":"\u00e9\ud83d\ude00"},{"image":"b.jpg"})");
  for (std::uint64_t round = 0; round < 2000; ++round) {
    RandomStream random(random_key({3, round}));
    std::string damaged = line;
    for (std::uint64_t i = 0; i <= random.below(3); ++i)
      damaged[random.below(damaged.size())] ^= static_cast<char>(1u << random.below(8));
    INFO(damaged);
    const AnnotationFile file(kGood + "\n" + damaged, "rows.jsonl");
    const auto dataset = file.open("vllama");
    for (std::int64_t i = 0; i < dataset->size(); ++i) {
      const Record record = dataset->record(i);
      CHECK((record.conversation.is_caption() ||
             record.media.size() == record.conversation.media.size()));
    }
  }
}

TEST_CASE("converting any format and reading the result gives equal records") {
  const std::string chat =
      R"("conversations":[{"from":"human","value":"See \"<image>\"\n"},{"from":"gpt","value":"caf\u00e9 \ud83d\ude00"},
          {"from":"human","value":"?"},{"from":"gpt","value":""}])";
  const AnnotationFile llava(R"([{"id":1,"image":"sub/a b.jpg",)" + chat +
                             R"(},{"id":1,"image":"/else/b.jpg",)" + chat + "}]");
  const AnnotationFile videochat(
      R"([{"video":"a.mp4","start":0.1,"end":12.3456789012345678,"QA":[{"q":"","a":"x"},{"q":"","a":""}]},
          {"image":"../b.jpg","QA":[{"q":"\u0000\t\n","a":"\u200b"}]}])");
  const AnnotationFile instruct(
      R"([{"q":"?","a":"x","video_id":"v_1"},{"id":"1","video":"v_2.pkl","conversations":[
          {"from":"human","value":"What?\n<video>"},{"from":"gpt","value":"That."}]}])");
  const AnnotationFile align(
      R"({"annotations":[{"image_id":"2","caption":"A \"boat\".\nBlue."},{"image_id":2,"caption":" b "}]})");
  const AnnotationFile cc(
      R"([{"id":"1","image":"a.jpg","conversations":[{"from":"gpt","value":"a dog ."}]}])");
  const AnnotationFile webvid("videoid,page_dir,name\n007,p_q,\"A \"\"kite\"\",\nred\"\n",
                              "rows.csv");
  const AnnotationFile audiocaps("audiocap_id,youtube_id,start_time,caption\n1,-a,30,x\n2,b,0,y\n",
                                 "rows.csv");
  const AnnotationFile clotho(
      "file_name,caption_1,caption_2,caption_3,caption_4,caption_5\n\"Bob's, 1.wav\",a,b,,d,e\n",
      "rows.csv");
  const test::TemporaryFolder media;
  std::ofstream(media.path() / "v_1.webm") << "x";
  std::ofstream(media.path() / "-a.wav") << "x";
  for (const fs::path& root : {fs::path("M"), fs::path("M/"), fs::path("."), media.path()}) {
    check_round_trip(llava, "llava_instruct", root, "COCO_");
    check_round_trip(videochat, "videochat_instruct", root);
    check_round_trip(instruct, "video_instruct_100k", root);
    check_round_trip(align, "cc_sbu_align", root);
    check_round_trip(cc, "cc595k", root);
    check_round_trip(webvid, "webvid", root);
    check_round_trip(audiocaps, "audiocaps", root);
    check_round_trip(clotho, "clotho", root);
  }
  const AnnotationFile own(
      question(R"({"audio":"a.wav","start":1},{"text":"x"},{"video":"b.mp4"},{"image":"c"})") +
      "\n" + kGood);
  check_round_trip(own, "vllama", "M");
}

TEST_CASE("a conversion that fails leaves no file behind") {
  const AnnotationFile file(kGood);
  const auto dataset = file.open("vllama");
  const test::TemporaryFolder folder;
  CHECK_THROWS_AS(convert(*dataset, "M", folder.path() / "none/out.jsonl"), RunFailure);
  CHECK(fs::is_empty(folder.path()));
}

}  // namespace vllama::datasets
