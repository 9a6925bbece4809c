// Writing data sets as tar shards, and reading them back: the same records, the same examples.
#include <catch2/catch.hpp>
#include <cstring>
#include <fstream>

#include "core/error.h"
#include "core/files.h"
#include "datasets/convert/write_shards.h"
#include "datasets/loading/mixture.h"
#include "datasets/shards/tar.h"
#include "tests/datasets/annotation_file.h"
#include "tests/datasets/equal_records.h"
#include "tests/datasets/tar_file.h"
#include "tests/datasets/written_file.h"
#include "tests/support/model_input.h"
#include "text/tokenizers/sentencepiece_tokenizer.h"

namespace vllama::datasets {
namespace {

using Catch::Matchers::Contains;
namespace fs = std::filesystem;

constexpr std::int64_t kNoLimit = std::int64_t{1} << 40;

DatasetConfig shards_in(const fs::path& folder) {
  DatasetConfig config;
  config.name = config.format = "webdataset";
  config.annotations = folder;
  return config;
}

std::vector<std::string> members_of(const fs::path& shard) {
  TarReader reader(shard);
  std::vector<std::string> names;
  while (const auto member = reader.next()) names.push_back(member->name);
  return names;
}

std::string content_of(const media::FileRange& source) {
  return media::OpenRange(source).read_first(1'000'000);
}

// All but the places of the media, whose bytes are compared.
void check_equal(const Record& actual, const Record& expected) {
  check_equal_but_sources(actual, expected);
  for (std::size_t i = 0; i < expected.media.size(); ++i)
    CHECK(content_of(actual.media[i].source) == content_of(expected.media[i].source));
}

// Lines of our own format that name these files, and the files.
class LooseFiles {
 public:
  explicit LooseFiles(const std::vector<std::string>& names) {
    for (const std::string& name : names) test::write_below(path() / name, "content of " + name);
  }
  fs::path path() const { return folder_.path(); }

 private:
  test::TemporaryFolder folder_;
};

std::string captioned(const std::string& id, const std::string& parts) {
  return R"({"id":")" + id + R"(","caption":"x","media":[)" + parts + "]}\n";
}

}  // namespace

TEST_CASE("shards of any format give equal records, and the same bytes each time") {
  const LooseFiles loose({"p/1.mp4", "p/2.mp4", "b.MP4", "sub/a b.jpg", "v_1.webm", "d.wav",
                          "odd.name with spaces", "e.json", "7.jpg"});
  const std::string chat =
      R"("conversations":[{"from":"human","value":"See \"<image>\"\n"},{"from":"gpt","value":"caf\u00e9"},
          {"from":"human","value":"?"},{"from":"gpt","value":""}])";
  struct Case {
    std::string format, file, annotations;
  };
  const std::vector<Case> cases = {
      {"webvid", "rows.csv", "videoid,page_dir,name\n1,p,\"A \"\"kite\"\",\nred\"\n2,p,y\n"},
      {"llava_instruct", "rows.json", R"([{"id":1,"image":"sub/a b.jpg",)" + chat + "}]"},
      {"videochat_instruct", "rows.json",
       R"([{"video":"b.MP4","start":0.1,"end":12.3456789012345678,"QA":[{"q":"","a":"x"},{"q":"","a":""}]}])"},
      {"video_instruct_100k", "rows.json", R"([{"q":"?","a":"x","video_id":"v_1"}])"},
      {"cc_sbu_align", "rows.json",
       R"({"annotations":[{"image_id":"7","caption":"x"},{"image_id":7,"caption":"y"}]})"},
      {"clotho", "rows.csv",
       "file_name,caption_1,caption_2,caption_3,caption_4,caption_5\nd.wav,a,b,,d,e\n"},
      {"audiocaps", "rows.csv", "audiocap_id,youtube_id,start_time,caption\n1,d,3,x\n"},
      {"vllama", "rows.jsonl",
       R"({"id":"1","messages":[{"role":"user","content":[{"audio":"odd.name with spaces","end":2},)"
       R"({"text":"?"},{"image":"e.json"},{"image":"7.jpg"},{"audio":"odd.name with spaces"}]},)"
       R"({"role":"assistant","content":"x"}]})"
       "\n" +
           captioned("2", R"({"video":")" + (loose.path() / "b.MP4").string() + "\"}")}};
  for (const Case& tried : cases) {
    INFO(tried.format);
    const AnnotationFile file(tried.annotations, tried.file);
    const auto dataset = file.open(tried.format, loose.path());
    const test::TemporaryFolder folder;
    const WrittenShards written = write_shards(*dataset, folder.path() / "a/b", kNoLimit);
    CHECK(written.num_records == dataset->size());
    CHECK(written.num_shards == 1);
    CHECK(written.left_out.total() == 0);
    const fs::path shard = folder.path() / "a/b/shard-00000.tar";
    CHECK(written.num_bytes == static_cast<std::int64_t>(fs::file_size(shard)));
    const auto shards = open_dataset(shards_in(folder.path() / "a/b"));
    CHECK(shards->invalid().total() == 0);
    REQUIRE(shards->size() == dataset->size());
    for (std::int64_t i = 0; i < dataset->size(); ++i)
      check_equal(shards->record(i), dataset->record(i));

    write_shards(*dataset, folder.path() / "again", kNoLimit);
    CHECK(read_file(folder.path() / "again/shard-00000.tar") == read_file(shard));
    // Shards of shards differ from them in nothing.
    write_shards(*shards, folder.path() / "copy", kNoLimit);
    CHECK(read_file(folder.path() / "copy/shard-00000.tar") == read_file(shard));
  }
}

TEST_CASE("shards hold each medium once, under a name that keeps its extension") {
  const LooseFiles loose({"a.jpg", "b.WebM", "c.tar.gz", "d.e-f", "g", "txt.txt"});
  const AnnotationFile file(
      captioned("1", R"({"image":"a.jpg"})") + captioned("2", R"({"image":"./a.jpg"})") +
          captioned("3", R"({"image":"a.jpg"},{"video":"b.WebM"})") +
          captioned("4", R"({"audio":"c.tar.gz"})") + captioned("5", R"({"video":"d.e-f"})") +
          captioned("6", R"({"image":"g"})") + captioned("7", R"({"audio":"txt.txt"})"),
      "rows.jsonl");
  const test::TemporaryFolder folder;
  write_shards(*file.open("vllama", loose.path()), folder.path(), kNoLimit);
  CHECK(members_of(folder.path() / "shard-00000.tar") ==
        std::vector<std::string>{"000000000.json", "000000000.jpg", "000000001.json",
                                 "000000001.jpg",  // another path to the same picture
                                 "000000002.json", "000000002.1.webm", "000000003.json",
                                 "000000003.gz", "000000004.json", "000000004.video",
                                 "000000005.json", "000000005.image", "000000006.json",
                                 "000000006.audio"});
}

TEST_CASE("shards end in front of the record that would make them too large") {
  std::vector<std::string> names;
  std::string lines;
  for (int i = 0; i < 20; ++i) {
    names.push_back(std::to_string(i) + ".jpg");
    lines +=
        captioned(std::to_string(i), R"({"image":")" + names.back() + R"("},{"image":"0.jpg"})");
  }
  const LooseFiles loose(names);
  test::write_below(loose.path() / "7.jpg", std::string(10000, 'x'));
  const AnnotationFile file(lines, "rows.jsonl");
  const auto dataset = file.open("vllama", loose.path());
  const test::TemporaryFolder folder;
  const WrittenShards written = write_shards(*dataset, folder.path(), 9000);
  CHECK(written.num_shards > 4);
  std::int64_t num_bytes = 0, num_large = 0;
  for (const auto& entry : fs::directory_iterator(folder.path())) {
    const auto size = static_cast<std::int64_t>(entry.file_size());
    num_bytes += size;
    num_large += size > 9000 + 1024;
    // Each is whole, and every record finds its media in it.
    const auto alone = open_dataset(shards_in(entry.path()));
    CHECK(alone->invalid().total() == 0);
    for (std::int64_t i = 0; i < alone->size(); ++i)
      for (const samples::MediaFile& medium : alone->record(i).media)
        CHECK(medium.source.path == entry.path());
  }
  CHECK(num_bytes == written.num_bytes);
  CHECK(num_large == 1);
  const auto shards = open_dataset(shards_in(folder.path()));
  REQUIRE(shards->size() == 20);
  for (std::int64_t i = 0; i < 20; ++i) check_equal(shards->record(i), dataset->record(i));
}

TEST_CASE("records whose media are not there are left out and counted") {
  const LooseFiles loose({"a.jpg"});
  test::write_below(loose.path() / "empty.jpg", "");
  fs::create_directory(loose.path() / "folder.jpg");
  const AnnotationFile file(captioned("1", R"({"image":"none.jpg"})") +
                                captioned("2", R"({"image":"a.jpg"})") +
                                captioned("3", R"({"image":"a.jpg"},{"image":"empty.jpg"})") +
                                captioned("4", R"({"image":"folder.jpg"})"),
                            "rows.jsonl");
  const test::TemporaryFolder folder;
  const auto written =
      write_shards(*file.open("vllama", loose.path()), folder.path() / "shards", kNoLimit);
  CHECK(written.num_records == 1);
  CHECK(written.left_out.count_of_reason() ==
        Counts{{"not_found", 1}, {"empty", 1}, {"not_media", 1}});
  CHECK(written.left_out.listed()[0].place == "record 0 (1)");
  const auto shards = open_dataset(shards_in(folder.path() / "shards"));
  REQUIRE(shards->size() == 1);
  CHECK(shards->record(0).id == "2");

  const AnnotationFile none(captioned("1", R"({"image":"none.jpg"})"), "rows.jsonl");
  CHECK_THROWS_WITH(write_shards(*none.open("vllama", "M"), folder.path() / "none", kNoLimit),
                    Contains("1 not_found") && Contains("M/none.jpg"));
}

TEST_CASE("a folder that holds something, or that cannot be made, is refused") {
  const LooseFiles loose({"a.jpg"});
  const AnnotationFile file(captioned("1", R"({"image":"a.jpg"})"), "rows.jsonl");
  const auto dataset = file.open("vllama", loose.path());
  CHECK_THROWS_WITH(write_shards(*dataset, loose.path(), kNoLimit), Contains("is not empty"));
  CHECK_THROWS_AS(write_shards(*dataset, loose.path() / "a.jpg/x", kNoLimit), RunFailure);
  CHECK_THROWS_AS(write_shards(*dataset, loose.path() / "a.jpg", kNoLimit), RunFailure);
  CHECK_THROWS_AS(write_shards(*dataset, "/proc/none", kNoLimit), RunFailure);
}

TEST_CASE("examples from shards are those from loose files, bit for bit") {
  VLLAMA_SHARED_FILE(media, "fixtures/media");
  VLLAMA_SHARED_FILE(tokenizer_file, "goldens/ckpt/llama/tokenizer.model");
  const AnnotationFile file(
      captioned("1", R"({"video":"boat.mp4"})") +
          R"({"id":"2","messages":[{"role":"user","content":[{"text":"Compare "},{"image":"dog.jpg"},)"
          R"({"video":"skateboarding_dog.mp4","start":2,"end":9},{"audio":"FwVYUHKoLtQ_000034.wav"}]},)"
          R"({"role":"assistant","content":"Two dogs and a sound."}]})"
          "\n" +
          captioned("3", R"({"video":"boat.mp4","start":1},{"audio":"audio_only_opus.mp4"})"),
      "rows.jsonl");
  const test::TemporaryFolder folder;
  write_shards(*file.open("vllama", media), folder.path(), kNoLimit);

  const text::SentencePieceTokenizer tokenizer(tokenizer_file);
  const samples::ModelInput model = test::both_inputs({56, 5, 32}, {56, 3, 8});
  DatasetConfig loose;
  loose.format = "vllama";
  loose.annotations = file.path();
  loose.media_root = media;
  DatasetConfig shards = shards_in(folder.path());
  loose.name = shards.name = "same";
  DataConfig data;
  data.sets = {loose};
  const Mixture from_files(data, model, tokenizer);
  data.sets = {shards};
  const Mixture from_shards(data, model, tokenizer);
  // Shuffled, with random crops: the same draws for the same places of the plan.
  const SampleOrder order(from_files.sources(), {.samples_per_step = 3, .seed = 11});
  REQUIRE(from_shards.sources().at(0).size == 3);
  samples::StageSeconds seconds;
  for (std::int64_t step = 0; step < 2; ++step)
    for (const PlannedSample& sample : order.step(step)) {
      const auto expected = from_files.build(from_files.record(sample), sample, seconds);
      const auto built = from_shards.build(from_shards.record(sample), sample, seconds);
      CHECK(built.token_ids == expected.token_ids);
      CHECK(built.labels == expected.labels);
      REQUIRE(built.media.size() == expected.media.size());
      for (std::size_t i = 0; i < built.media.size(); ++i) {
        const auto &values = built.media[i].values, &wanted = expected.media[i].values;
        REQUIRE(values.sizes() == wanted.sizes());
        CHECK(std::memcmp(values.const_data_ptr(), wanted.const_data_ptr(), values.nbytes()) == 0);
        CHECK(built.media[i].times_seconds == expected.media[i].times_seconds);
      }
    }
}

}  // namespace vllama::datasets
