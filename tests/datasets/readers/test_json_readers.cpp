// Captioned images in JSON files.
#include <catch2/catch.hpp>
#include <fstream>

#include "core/error.h"
#include "datasets/readers/cc595k.h"
#include "datasets/readers/cc_sbu_align.h"
#include "tests/support/fixtures.h"

namespace vllama::datasets {
namespace {

using Catch::Matchers::Contains;
namespace fs = std::filesystem;

class JsonFile {
 public:
  explicit JsonFile(const std::string& content) {
    std::ofstream(path(), std::ios::binary) << content;
  }
  fs::path path() const { return folder_.path() / "annotations.json"; }

 private:
  test::TemporaryFolder folder_;
};

std::unique_ptr<Dataset> align(const std::string& content) {
  return open_cc_sbu_align(JsonFile(content).path(), "I");
}

std::unique_ptr<Dataset> chat(const std::string& content) {
  return open_cc595k(JsonFile(content).path(), "I");
}

std::string caption(const Dataset& dataset, std::int64_t index) {
  return dataset.record(index).conversation.turns.at(0).answer;
}

}  // namespace

TEST_CASE("cc_sbu_align: the recorded annotations") {
  VLLAMA_SHARED_FILE(file, "goldens/data/align/filter_cap.json");
  const auto dataset = open_cc_sbu_align(file, "I");
  REQUIRE(dataset->size() == 3);
  CHECK(dataset->record(0).media.at(0).source == "I/2.jpg");
  CHECK(dataset->record(0).media.at(0).kind == MediaKind::image);
  CHECK(caption(*dataset, 0) == "A large green Statue of Liberty, seen from below.");
  CHECK(caption(*dataset, 1) == "The image shows a dog\nlooking at the camera. It's happy!");
  CHECK(dataset->record(2).id == "2");
}

TEST_CASE("cc_sbu_align: integer ids, other keys, entries without a caption") {
  const auto dataset = align(
      R"({"info": {"a": [1, "]}"]}, "annotations": [{"image_id": 17, "caption": "caf\u00e9 \ud83d\ude00", "x": []},
          {"image_id": "3", "caption": null}, {"image_id": "4", "caption": " "},
          {"image_id": "", "caption": "x"}, {"image_id": "5", "caption": "\"q\" \\"}]})");
  REQUIRE(dataset->size() == 2);
  CHECK(dataset->record(0).id == "17");
  CHECK(caption(*dataset, 0) == "caf\xC3\xA9 \xF0\x9F\x98\x80");
  CHECK(caption(*dataset, 1) == "\"q\" \\");
  CHECK(dataset->invalid().count_of_reason() ==
        std::map<std::string, std::int64_t>{{"missing_caption", 2}, {"missing_id", 1}});
  CHECK_THAT(dataset->invalid().listed()[0].place, Contains("element 1"));
}

TEST_CASE("cc_sbu_align: other layouts are refused with place and key") {
  CHECK_THROWS_WITH(
      align(R"({"annotations": [{"image_id": "1", "description": "x"}]})"),
      Contains("element 0") && Contains("no key 'caption'") && Contains("description, image_id"));
  CHECK_THROWS_WITH(align(R"({"annotations": [{"image_id": "1.jpeg", "caption": "x"}]})"),
                    Contains("1.jpeg") && Contains("extension"));
  CHECK_THROWS_WITH(align(R"({"annotations": [{"image_id": 1.5, "caption": "x"}]})"),
                    Contains("'image_id' must be text"));
  CHECK_THROWS_WITH(align(R"({"images": []})"), Contains("no key \"annotations\""));
  CHECK_THROWS_WITH(align(R"({"annotations": []})"), Contains("no valid entry"));
  CHECK_THROWS_WITH(align(R"([])"), Contains("byte 0"));
}

TEST_CASE("text that is not JSON is refused, wherever it breaks") {
  const std::string whole =
      R"({"annotations": [{"image_id": "1", "caption": "a \" b"}, {"image_id": "2", "caption": "c"}]})";
  REQUIRE(align(whole)->size() == 2);
  for (std::size_t length = 0; length < whole.size(); ++length) {
    INFO(whole.substr(0, length));
    CHECK_THROWS_AS(align(whole.substr(0, length)), UserError);
  }
  CHECK_THROWS_AS(align(whole + "x"), UserError);
  CHECK_THROWS_AS(align(R"({"annotations": [{"image_id": "1", "caption": "a"}}})"), UserError);
  CHECK_THROWS_AS(align(R"({"annotations": [{"image_id": "1" "caption": "a"}]})"), UserError);
  CHECK_THROWS_AS(align("{\"annotations\": [{\"image_id\": \"1\", \"caption\": \"\xE9\"}]}"),
                  UserError);
  CHECK_THROWS_AS(align(R"({"annotations": [,]})"), UserError);
  CHECK_THROWS_AS(align(R"({"annotations": [1]})"), UserError);
  CHECK_THROWS_AS(align(std::string(100000, '[')), UserError);
  CHECK_THROWS_AS(align("{\"annotations\": [" + std::string(100000, '[')), UserError);
}

TEST_CASE("cc595k: the caption is the model's answer") {
  const auto dataset = chat(
      R"([{"id": "GCC_1", "image": "GCC_train_000000001.jpg", "conversations": [
            {"from": "human", "value": "Give a brief description.\n<image>"},
            {"from": "gpt", "value": "a dog runs on the beach ."}]},
          {"id": 2, "image": "b.jpg", "conversations": [{"from": "gpt", "value": "a boat ."}]},
          {"id": 3, "image": "c.jpg", "conversations": [{"from": "human", "value": "?"}]},
          {"id": 4, "image": null, "conversations": [{"from": "gpt", "value": "x"}]}])");
  REQUIRE(dataset->size() == 2);
  CHECK(dataset->record(0).id == "GCC_1");
  CHECK(dataset->record(0).media.at(0).source == "I/GCC_train_000000001.jpg");
  CHECK(caption(*dataset, 0) == "a dog runs on the beach .");
  CHECK(dataset->record(1).id == "2");
  CHECK(dataset->invalid().count_of_reason() ==
        std::map<std::string, std::int64_t>{{"missing_caption", 1}, {"missing_image", 1}});
  CHECK_THROWS_WITH(chat(R"([{"id": "1", "image": "a.jpg", "caption": "x"}])"),
                    Contains("no key 'conversations'"));
  CHECK_THROWS_WITH(chat(R"([{"id": "1", "image": "a.jpg", "conversations": "x"}])"),
                    Contains("must be a list"));
}

}  // namespace vllama::datasets
