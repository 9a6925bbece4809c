// Rules between the settings of data, and what is odd about the texts of a record.
#include <catch2/catch.hpp>

#include "core/broken_rules.h"
#include "core/error.h"
#include "datasets/examples/record_texts.h"
#include "datasets/formats/format_rules.h"
#include "datasets/formats/open_dataset.h"
#include "samples/media_rules.h"
#include "tests/support/fixtures.h"
#include "tests/support/model_input.h"

namespace vllama::datasets {
namespace {

using Catch::Contains;

DatasetConfig own_set() {
  DatasetConfig set;
  set.name = "mine";
  set.format = "vllama";
  set.annotations = "mine.jsonl";
  set.media_root = ".";
  return set;
}

Record caption(const std::string& text) {
  return {.id = "a", .media = {}, .conversation = {.turns = {{"", text}}}};
}

const samples::ModelInput kVision = test::vision_input();

}  // namespace

TEST_CASE("formats: an unknown one is refused by the data set's name, with those that there are") {
  DatasetConfig set = own_set();
  set.format = "vlama";
  const auto broken = broken_format_rules(set);
  REQUIRE(broken.size() == 1);
  CHECK_THAT(broken[0], Contains("data set 'mine': no reader for the format 'vlama'"));
  for (const std::string& name : dataset_format_names()) {
    CHECK_THAT(broken[0], Contains(name));
    CHECK(dataset_format(name).name == name);
  }
  CHECK(find_dataset_format("") == nullptr);
  CHECK_THROWS_WITH(open_dataset(set), broken[0]);
}

TEST_CASE("rules: all that a data set breaks, not the first") {
  DatasetConfig set = own_set();
  CHECK(broken_format_rules(set).empty());
  CHECK(broken_root_rules(set).empty());
  CHECK(samples::broken_media_rules(set.name, set, {}, kVision).empty());
  set.image_prefix = "COCO_";
  set.media_root.clear();
  CHECK(broken_format_rules(set).size() == 2);
  set.min_crop_scale = 0.9;
  set.max_crop_scale = 0.8;
  set.inputs = samples::Inputs::frames_and_sound;
  set.num_frames = 33;
  CHECK(samples::broken_media_rules(set.name, set, {}, kVision).size() == 3);
  CHECK_THROWS_WITH(require_none(samples::broken_media_rules(set.name, set, {}, kVision)),
                    Contains("3 things must be changed:\n1. ") && Contains("\n3. "));
  CHECK_NOTHROW(require_none({}));
}

TEST_CASE("rules: a media folder that is not there, or is no folder") {
  const test::TemporaryFolder folder;
  DatasetConfig set = own_set();
  set.media_root = folder.path() / "nowhere";
  REQUIRE(broken_root_rules(set).size() == 1);
  CHECK_THAT(broken_root_rules(set)[0], Contains("nowhere' does not exist"));
  set.media_root = "/proc/self/status";
  CHECK_THAT(broken_root_rules(set).at(0), Contains("is no folder"));
  set.media_root = "shards-{00..09}.tar";  // opening them says what is missing
  CHECK(broken_root_rules(set).empty());
}

TEST_CASE("clean-up: published captions as the original does it, own ones stay as they are") {
  const std::string text = "A man's dog (brown) says: \"Stop!\"";
  for (const char* format : {"webvid", "cc_sbu_align", "cc595k", "audiocaps", "clotho"}) {
    DatasetConfig set = own_set();
    set.format = format;
    CHECK(set.cleans_captions());
    const auto change = caption_change(set, caption(text));
    REQUIRE(change);
    CHECK(change->before == text);
    CHECK(change->after == "a man's dog brown says stop");
    CHECK_FALSE(caption_change(set, caption("a dog  runs \n")));  // spaces alone
    set.clean_captions = false;
    CHECK_FALSE(caption_change(set, caption(text)));
  }
  for (const char* format : {"vllama", "webdataset"}) {
    DatasetConfig set = own_set();
    set.format = format;
    CHECK_FALSE(set.cleans_captions());
    CHECK_FALSE(caption_change(set, caption(text)));
    set.clean_captions = true;
    CHECK(caption_change(set, caption(text)));
  }
}

TEST_CASE("clean-up: what a configuration does not say is named in its dump") {
  const auto read = [](const std::string& text) {
    return config::read<DatasetConfig>(
        config::load_text("name: a\nannotations: b\n" + text, "run.yaml"));
  };
  CHECK_THAT(config::dump(read("format: webvid")), Contains("clean_captions: true"));
  CHECK_THAT(config::dump(read("format: vllama")), Contains("clean_captions: false"));
  CHECK_THAT(config::dump(read("clean_captions: true\nformat: vllama")),
             Contains("clean_captions: true"));
  CHECK_FALSE(read("format: webvid\nclean_captions: false").cleans_captions());
}

TEST_CASE("texts: a tag in a question or an answer") {
  Record record;
  record.conversation.turns = {{"What is it?", "A dog."}, {"And <image>?", "A cat."}};
  CHECK(media_tag_in(record) == "<image>");
  record.conversation.turns = {{"What is it?", "<Video>"}};
  CHECK(media_tag_in(record) == "<Video>");
  record.conversation.turns.pop_back();
  CHECK(media_tag_in(record).empty());
}

}  // namespace vllama::datasets
