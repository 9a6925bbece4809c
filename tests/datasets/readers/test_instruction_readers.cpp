// Conversations about images and videos: LLaVA-Instruct, VideoChat, VideoInstruct100K.
#include <catch2/catch.hpp>

#include "core/error.h"
#include "tests/datasets/annotation_file.h"

namespace vllama::datasets {
namespace {

using Catch::Matchers::Contains;
namespace fs = std::filesystem;
using text::MediaPlace;

// The reason for which an element is left out; empty if it is a record.
std::string fault(const std::string& format, const std::string& good, const std::string& element) {
  const AnnotationFile file("[" + good + "," + element + "]");
  const auto dataset = file.open(format);
  const auto& listed = dataset->invalid().listed();
  if (listed.empty()) return {};
  REQUIRE(listed.size() == 1);
  CHECK_THAT(listed[0].place, Contains(file.path().string() + ", element 1"));
  CHECK(dataset->size() == 1);
  return listed[0].reason;
}

const std::string kLlava =
    R"({"id":"g","image":"g.jpg","conversations":[{"from":"human","value":"<image>\nWhat?"},
        {"from":"gpt","value":"A dog."}]})";

std::string llava_fault(const std::string& messages,
                        const std::string& more = R"("image":"a.jpg")") {
  return fault("llava_instruct", kLlava,
               R"({"id":"1",)" + more + R"(,"conversations":[)" + messages + "]}");
}

std::string human(const std::string& text) {
  return R"({"from":"human","value":")" + text + "\"}";
}

std::string gpt(const std::string& text) {
  return R"({"from":"gpt","value":")" + text + "\"}";
}

const std::string kVideoChat = R"({"video":"g.mp4","QA":[{"q":"What?","a":"That."}]})";

std::string chat_fault(const std::string& element) {
  return fault("videochat_instruct", kVideoChat, element);
}

const std::string kVideoInstruct = R"({"q":"What?","a":"That.","video_id":"g"})";

std::string instruct_fault(const std::string& element) {
  return fault("video_instruct_100k", kVideoInstruct, element);
}

}  // namespace

TEST_CASE("llava_instruct: the recorded annotations") {
  VLLAMA_SHARED_FILE(file, "goldens/data/llava_instruct.json");
  DatasetConfig config;
  config.name = config.format = "llava_instruct";
  config.annotations = file;
  config.media_root = "coco";
  config.image_prefix = "COCO_train2014_";
  const auto dataset = open_dataset(config);
  REQUIRE(dataset->size() == 3);
  const Record record = dataset->record(1);
  CHECK(record.id == "2");
  REQUIRE(record.media.size() == 1);
  CHECK(record.media[0].source == "coco/COCO_train2014_statue.jpg");
  CHECK(record.media[0].kind == MediaKind::image);
  REQUIRE(record.conversation.turns.size() == 2);
  CHECK(record.conversation.turns[0].question == "Where is it?\n");
  CHECK(record.conversation.turns[1].answer == "Bartholdi designed it.");
  CHECK(record.conversation.media == std::vector{MediaPlace{0, 13}});
  CHECK(dataset->record(0).conversation.turns[0].question == "\nWhat is this?");
  CHECK(dataset->record(0).conversation.media == std::vector{MediaPlace{0, 0}});
}

TEST_CASE("llava_instruct: ids, folders and prefixes") {
  const AnnotationFile file(
      "[" + kLlava + R"(,{"id":7,"image":"coco/train/b.jpg","conversations":[)" + gpt("Hello.") +
      "," + human("See: <image>, well?") + "," + gpt("Yes.") + R"(],"more":1}])");
  const auto dataset = file.open("llava_instruct", "/data", "P_");
  REQUIRE(dataset->size() == 2);
  CHECK(dataset->record(0).media[0].source == "/data/P_g.jpg");
  CHECK(dataset->record(1).media[0].source == "/data/coco/train/P_b.jpg");
  CHECK(dataset->record(1).id == "7");
  CHECK(dataset->record(1).conversation.turns.size() == 1);
  CHECK(dataset->record(1).conversation.turns[0].question == "See: , well?");
  CHECK(dataset->record(1).conversation.media == std::vector{MediaPlace{0, 5}});
  CHECK_THROWS_WITH(
      AnnotationFile(R"([{"image_id":1,"caption":"x"}])").open("cc_sbu_align", "M", "P"),
      Contains("image_prefix"));
}

TEST_CASE("llava_instruct: every kind of bad sample has its reason") {
  const std::string question = human("<image>\\nWhat?"), answer = gpt("That.");
  CHECK(llava_fault(question + "," + answer).empty());
  CHECK(llava_fault(human("Hi") + "," + answer, R"("model":"x")") == "text_only");
  CHECK(llava_fault(human("Hi") + "," + answer, R"("image":null)") == "text_only");
  CHECK(llava_fault(question + "," + answer, R"("model":"x")") == "missing_image");
  CHECK(llava_fault(human("Hi") + "," + answer) == "no_media_place");
  CHECK(llava_fault(human("<image> <image>") + "," + answer) == "many_media_places");
  CHECK(llava_fault(question + "," + answer + "," + question + "," + answer) ==
        "many_media_places");
  CHECK(llava_fault(question + "," + gpt("<image>")) == "tag_in_answer");
  CHECK(llava_fault(R"({"from":"system","value":"be nice"},)" + question + "," + answer) ==
        "unknown_role");
  CHECK(llava_fault(question + "," + human("Really?") + "," + answer) == "broken_order");
  CHECK(llava_fault(question + "," + answer + "," + answer) == "broken_order");
  CHECK(llava_fault(question + "," + answer + "," + human("More?")) == "missing_answer");
  CHECK(llava_fault(question + R"(,{"from":"gpt","value":null})") == "missing_answer");
  CHECK(llava_fault(question + R"(,{"from":"gpt"})") == "missing_answer");
  CHECK(llava_fault(question + "," + gpt(" ")) == "missing_answer");
  CHECK(llava_fault(R"({"from":"human"},)" + answer) == "missing_question");
  CHECK(llava_fault(question) == "no_turns");
  CHECK(llava_fault("") == "no_turns");
  CHECK(llava_fault(question + R"(,{"role":"gpt"})") == "missing_key");
  CHECK(llava_fault(question + R"(,{"from":"gpt","value":[5]})") == "wrong_type");
  CHECK(llava_fault(question + "," + answer, R"("image":["a.jpg","b.jpg"])") == "no_media_place");
  CHECK(llava_fault(question + "," + answer, R"("image":[["a.jpg"]])") == "wrong_type");
  CHECK(llava_fault(question + "," + answer, R"("image":"https://e.org/a.jpg")") == "url");
  CHECK(llava_fault(question + "," + answer, R"("image":"a\u0000.jpg")") == "bad_path");
  CHECK(fault("llava_instruct", kLlava, R"({"id":"1","image":"a.jpg"})") == "missing_key");
  CHECK(fault("llava_instruct", kLlava, R"({"image":"a.jpg","conversations":[]})") == "missing_id");
  CHECK(fault("llava_instruct", kLlava, "7") == "wrong_type");
}

TEST_CASE("llava_instruct: the reason comes with what is wrong") {
  const AnnotationFile file("[" + kLlava + R"(,{"id":"1","image":"a","conversation":[]}])");
  const auto dataset = file.open("llava_instruct");
  CHECK_THAT(
      dataset->invalid().summary(),
      Contains("1 missing_key") && Contains("no 'conversations'; the keys are: conversation"));
  CHECK_THROWS_WITH(AnnotationFile("[]").open("llava_instruct"), Contains("no valid entry"));
}

TEST_CASE("a duplicate id or key is counted, and the entry kept") {
  std::string twice = kLlava;
  twice.insert(twice.size() - 1, R"(,"image":"last.jpg")");
  const AnnotationFile file("[" + kLlava + "," + kLlava + "," + twice + "]");
  const auto dataset = file.open("llava_instruct");
  REQUIRE(dataset->size() == 3);
  CHECK(dataset->invalid().total() == 0);
  CHECK(dataset->doubtful().count_of_reason() == Counts{{"duplicate_id", 2}, {"duplicate_key", 1}});
  CHECK_THAT(dataset->doubtful().summary(),
             Contains("element 1") && Contains("'g' occurred before"));
  CHECK(dataset->record(2).media[0].source == "M/last.jpg");
}

TEST_CASE("JSON details: surrogate pairs, the text nan, the number NaN") {
  const AnnotationFile file("[" + kLlava + R"(,{"id":"1","image":"a.jpg","conversations":[)" +
                            human("\\ud83d\\ude00<image>") + "," + gpt("nan") + "]}]");
  const Record record = file.open("llava_instruct")->record(1);
  CHECK(record.conversation.turns[0].question == "\xF0\x9F\x98\x80");
  CHECK(record.conversation.media == std::vector{MediaPlace{0, 4}});
  CHECK(record.conversation.turns[0].answer == "nan");
  for (const std::string bad : {"NaN", "\"\\ud83d\"", "nan", "Infinity"}) {
    const AnnotationFile broken("[" + kVideoChat + R"(,{"video":"a.mp4","QA":[{"q":"?","a":)" +
                                bad + "}]}]");
    CHECK_THAT(broken.open("videochat_instruct")->invalid().summary(),
               Contains("1 not_json") && Contains("element 1"));
  }
}

TEST_CASE("videochat_instruct: the recorded annotations") {
  VLLAMA_SHARED_FILE(file, "goldens/data/videochat_instruct.json");
  DatasetConfig config;
  config.name = config.format = "videochat_instruct";
  config.annotations = file;
  config.media_root = "V";
  const auto dataset = open_dataset(config);
  REQUIRE(dataset->size() == 4);
  CHECK(dataset->doubtful().total() == 0);
  const Record record = dataset->record(1);
  CHECK(record.media.at(0).source == "V/media/dog_barking.mp4");
  CHECK(record.media[0].kind == MediaKind::video);
  CHECK(record.conversation.turns.size() == 3);
  CHECK(record.conversation.media == std::vector{MediaPlace{0, 0}});
}

TEST_CASE("videochat_instruct: images, times, empty questions and other keys") {
  const AnnotationFile file(
      R"([{"image":"a.jpg","QA":[{"i":"","q":"","a":"That."}],"url":"https://e.org"},
          {"video":"b.mp4","start":1.5,"end":4,"QA":[{"q":"?","a":""},{"q":"","a":"Yes."}]},
          {"video":"b.mp4","start":null,"end":9,"QA":[{"q":"?","a":"x"}]}])");
  const auto dataset = file.open("videochat_instruct");
  REQUIRE(dataset->size() == 3);
  CHECK(dataset->record(0).media[0].kind == MediaKind::image);
  CHECK(dataset->record(0).conversation.turns[0].question.empty());
  CHECK_FALSE(dataset->record(0).conversation.is_caption());
  CHECK(dataset->record(1).media[0].start_seconds == 1.5);
  CHECK(dataset->record(1).media[0].end_seconds == 4);
  CHECK(dataset->record(1).conversation.turns.size() == 2);
  CHECK(dataset->record(2).media[0].start_seconds == 0);
  CHECK(dataset->record(2).media[0].end_seconds == 9);
}

TEST_CASE("videochat_instruct: every kind of bad sample has its reason") {
  const std::string qa = R"(,"QA":[{"q":"?","a":"x"}]})";
  CHECK(chat_fault(R"({"video":"a.mp4")" + qa).empty());
  CHECK(chat_fault(R"({"url":"a")" + qa) == "missing_media");
  CHECK(chat_fault(R"({"video":"")" + qa) == "missing_media");
  CHECK(chat_fault(R"({"video":"a.mp4","image":"a.jpg")" + qa) == "many_media");
  CHECK(chat_fault(R"({"video":"a.mp4"})") == "missing_key");
  CHECK(chat_fault(R"({"video":"a.mp4","QA":{}})") == "wrong_type");
  CHECK(chat_fault(R"({"video":"a.mp4","QA":[]})") == "no_turns");
  CHECK(chat_fault(R"({"video":"a.mp4","QA":[{"a":"x"}]})") == "missing_question");
  CHECK(chat_fault(R"({"video":"a.mp4","QA":[{"q":"x"}]})") == "missing_answer");
  CHECK(chat_fault(R"({"video":"a.mp4","QA":[{"q":"x","a":null}]})") == "missing_answer");
  CHECK(chat_fault(R"({"video":"a.mp4","QA":[{"q":"x","a":""}]})") == "missing_answer");
  for (const std::string times :
       {R"("start":3,"end":3)", R"("start":4,"end":3)", R"("start":-1)", R"("end":0)"})
    CHECK(chat_fault(R"({"video":"a.mp4",)" + times + qa) == "bad_time");
  CHECK(chat_fault(R"({"video":"a.mp4","start":"1")" + qa) == "wrong_type");
}

TEST_CASE("video_instruct_100k: the extension is looked for when a record is asked for") {
  const test::TemporaryFolder media;
  const AnnotationFile file(
      R"([{"q":"What happens?","a":"A man paints.","video_id":"v_a.b"},{"q":"","a":"x","video_id":"v_2"}])");
  const auto dataset = file.open("video_instruct_100k", media.path());
  const auto path = [&] { return dataset->record(0).media.at(0).source; };
  CHECK(path() == media.path() / "v_a.b.mp4");
  for (const char* extension : {"mov", "avi", "webm", "mkv", "mp4"}) {
    const fs::path expected = media.path() / (std::string("v_a.b.") + extension);
    std::ofstream(expected) << "x";
    CHECK(path() == expected);
  }
  const Record record = dataset->record(0);
  CHECK(record.id == "v_a.b");
  CHECK(record.media[0].kind == MediaKind::video);
  CHECK(record.conversation.turns.at(0).question == "What happens?");
  CHECK(record.conversation.media == std::vector{MediaPlace{0, 0}});
  CHECK(dataset->record(1).conversation.turns.at(0).question.empty());
  CHECK(dataset->doubtful().total() == 0);
}

TEST_CASE("video_instruct_100k: the training form says the same") {
  const AnnotationFile file(R"([{"id":"v","video":"v.pkl","conversations":[)" +
                            human("What happens?\\n<video>") + "," + gpt("A man paints.") +
                            R"(]},{"id":"v","video":"sub/v","conversations":[)" +
                            human("<video>\\nWhat happens?") + "," + gpt("A man paints.") + "," +
                            human("Why?") + "," + gpt("For fun.") + "]}]");
  const auto dataset = file.open("video_instruct_100k");
  REQUIRE(dataset->size() == 2);
  CHECK(dataset->record(0).media[0].source == "M/v.mp4");
  CHECK(dataset->record(1).media[0].source == "M/sub/v.mp4");
  for (const std::int64_t i : {0, 1}) {
    CHECK(dataset->record(i).conversation.turns.at(0).question == "What happens?");
    CHECK(dataset->record(i).conversation.media == std::vector{MediaPlace{0, 0}});
  }
}

TEST_CASE("video_instruct_100k: every kind of bad sample has its reason") {
  CHECK(instruct_fault(R"({"q":"?","a":"x"})") == "missing_key");
  CHECK(instruct_fault(R"({"q":"?","a":"x","video_id":""})") == "missing_media");
  CHECK(instruct_fault(R"({"a":"x","video_id":"v"})") == "missing_question");
  CHECK(instruct_fault(R"({"q":"?","video_id":"v"})") == "missing_answer");
  CHECK(instruct_fault(R"({"q":"?","a":" ","video_id":"v"})") == "missing_answer");
  const std::string head = R"({"id":"v","video":"v.pkl","conversations":[)";
  CHECK(instruct_fault(head + human("?") + "," + gpt("x") + "]}") == "no_media_place");
  CHECK(instruct_fault(head + human("<video>?<video>") + "," + gpt("x") + "]}") ==
        "many_media_places");
  CHECK(instruct_fault(head + human("<video>?") + "]}") == "no_turns");
}

}  // namespace vllama::datasets
