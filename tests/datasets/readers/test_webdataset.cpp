// WebDataset: which members make a sample, what is wrong with others, and the order of samples.
#include <catch2/catch.hpp>
#include <cstring>
#include <fstream>
#include <set>

#include "core/error.h"
#include "core/files.h"
#include "core/random.h"
#include "datasets/loading/mixture.h"
#include "datasets/order/order.h"
#include "datasets/readers/shard_sample.h"
#include "datasets/readers/vllama_line.h"
#include "tests/datasets/annotation_file.h"
#include "tests/datasets/tar_file.h"

namespace vllama::datasets {
namespace {

using Catch::Matchers::Contains;
namespace fs = std::filesystem;
using Members = std::vector<std::pair<std::string, std::string>>;

std::unique_ptr<Dataset> open(const std::string& shards, const IndexFolder& indexes = {}) {
  DatasetConfig config;
  config.name = config.format = "webdataset";
  config.annotations = shards;
  return open_dataset(config, indexes);
}

// A folder with one shard.
class Shard {
 public:
  explicit Shard(const Members& members) { write_tar(path(), members); }
  fs::path path() const { return folder_.path() / "s.tar"; }
  std::unique_ptr<Dataset> open() const { return datasets::open(path()); }

 private:
  test::TemporaryFolder folder_;
};

const Members kGoodMembers = {{"good.jpg", "j"}, {"good.txt", "fine"}};

Members with_good(Members members) {
  members.insert(members.begin(), kGoodMembers.begin(), kGoodMembers.end());
  return members;
}

// Why the sample of these members is left out.
tables::EntryTally::Entry fault(const Members& members) {
  const Shard shard(with_good(members));
  const auto dataset = shard.open();
  CHECK(dataset->size() == 1);
  REQUIRE(dataset->invalid().listed().size() == 1);
  CHECK(dataset->invalid().listed()[0].place == shard.path().string() + ":" + members[0].first);
  return dataset->invalid().listed()[0];
}

std::string caption_of(const Record& record) {
  REQUIRE(record.conversation.is_caption());
  return record.conversation.turns.at(0).answer;
}

std::string content_of(const samples::MediaFile& file) {
  return media::OpenRange(file.source).read_first(1000);
}

}  // namespace

TEST_CASE("webdataset: the key of a member is its name up to the first dot of its last part") {
  CHECK(sample_key("a/b.c/d.e.f") == "a/b.c/d");
  CHECK(sample_key("d.mp4") == "d");
  CHECK(sample_key("a/d") == "a/d");
  CHECK(sample_key("a/.hidden") == "");
  CHECK(sample_key(".x") == "");
  CHECK(sample_key("a/") == "");
  CHECK(sample_key("") == "");
}

TEST_CASE("webdataset: captions come from .txt, or from .json") {
  const Shard shard({{"00/1.mp4", "video"},
                     {"00/1.json", R"({"caption":"not this","key":"1","status":"success"})"},
                     {"00/1.txt", " A kite.\n"},
                     {"00/2.JPG", "picture"},
                     {"00/2.json", R"({"caption":"A boat.","url":"x","x":1e400})"},
                     {
                         "00/2.json.bak",
                         "",
                     },
                     {"00/3.flac", "sound"},
                     {"00/3.json", R"({"caption":"\u00e9"})"},
                     {"4.video.webm", "video"},
                     {"4.txt", "x"},
                     {"4.json", "{\"similarity\":NaN}"}});
  // A number that does not fit is no JSON for us, and 2 has no .txt.
  const auto dataset = shard.open();
  REQUIRE(dataset->size() == 3);
  const Record first = dataset->record(0);
  CHECK(first.id == "00/1");
  CHECK(caption_of(first) == "A kite.");
  REQUIRE(first.media.size() == 1);
  CHECK(first.media[0].kind == MediaKind::video);
  CHECK(content_of(first.media[0]) == "video");
  CHECK(first.media[0].source.name() == shard.path().string() + ":00/1.mp4");
  CHECK(caption_of(dataset->record(1)) == "\xC3\xA9");
  CHECK(dataset->record(1).media[0].kind == MediaKind::sound);
  CHECK(dataset->record(2).id == "4");
  CHECK(dataset->record(2).media[0].kind == MediaKind::video);
  CHECK(dataset->doubtful().count_of_reason() == Counts{{"not_json", 1}});
  CHECK(dataset->invalid().count_of_reason() == Counts{{"not_json", 1}});
}

TEST_CASE("webdataset: a .json may hold a line of our own format") {
  const std::string conversation =
      R"({"id":"c","messages":[{"role":"user","content":[{"image":"5.0.jpg"},{"text":"and"},)"
      R"({"video":"./x/y.mp4","start":1}]},{"role":"assistant","content":"Both."}]})";
  const Shard shard({{"5.0.jpg", "picture"},
                     {"5.json", conversation},
                     {"x/y.mp4", "video"},
                     {"x/y.txt", "A video."},
                     {"6.json", R"({"id":6,"caption":"Again.","media":[{"video":"x/y.mp4"}]})"}});
  const auto dataset = shard.open();
  REQUIRE(dataset->size() == 3);
  const Record record = dataset->record(0);
  CHECK(record.id == "c");
  REQUIRE(record.media.size() == 2);
  CHECK(content_of(record.media[0]) == "picture");
  CHECK(content_of(record.media[1]) == "video");
  CHECK(record.media[1].start_seconds == 1);
  CHECK(record.conversation.media == std::vector<text::MediaPlace>{{0, 0}, {0, 3}});
  CHECK(dataset->record(1).id == "x/y");
  CHECK(dataset->record(2).id == "6");
  CHECK(content_of(dataset->record(2).media[0]) == "video");
}

TEST_CASE(
    "webdataset: a member whose name is not text is used, and named where JSON is asked for") {
  const Shard shard({{"1.\xFF.mp4", "video"}, {"1.txt", "A video."}});
  const auto dataset = shard.open();
  REQUIRE(dataset->size() == 1);
  const Record record = dataset->record(0);
  CHECK(content_of(record.media[0]) == "video");
  CHECK_THROWS_WITH(line_from_record(record, ""), Contains("'1'") && Contains("UTF-8"));
}

TEST_CASE("webdataset: media are looked for in the same shard first, then in all") {
  const test::TemporaryFolder folder;
  const std::string line = R"({"id":"x","caption":"c","media":[{"image":"1.jpg"}]})";
  write_tar(folder.path() / "0.tar", {{"1.json", line}, {"1.jpg", "zero"}});
  write_tar(folder.path() / "1.tar", {{"1.json", line}, {"1.jpg", "one"}});
  write_tar(folder.path() / "2.tar", {{"2.json", line}});
  const auto dataset = open(folder.path());
  REQUIRE(dataset->size() == 3);
  CHECK(content_of(dataset->record(0).media[0]) == "zero");
  CHECK(content_of(dataset->record(1).media[0]) == "one");
  CHECK(content_of(dataset->record(2).media[0]) == "one");
  CHECK(dataset->doubtful().count_of_reason() == Counts{{"duplicate_id", 2}});
}

TEST_CASE("webdataset: members of a sample need not stand together") {
  const Shard shard({{"1.mp4", "a"}, {"2.mp4", "b"}, {"2.txt", "B"}, {"1.txt", "A"}});
  const auto dataset = shard.open();
  REQUIRE(dataset->size() == 2);
  CHECK(caption_of(dataset->record(0)) == "A");
  CHECK(content_of(dataset->record(0).media[0]) == "a");
  CHECK(caption_of(dataset->record(1)) == "B");
}

TEST_CASE("webdataset: every kind of bad sample has its reason and its place") {
  CHECK(fault({{"1.mp4", "x"}}).reason == "missing_caption");
  CHECK(fault({{"1.mp4", "x"}, {"1.txt", " \n"}}).reason == "missing_caption");
  CHECK(fault({{"1.mp4", "x"}, {"1.txt", ""}}).reason == "missing_caption");
  CHECK(fault({{"1.mp4", "x"}, {"1.json", "{}"}}).reason == "missing_caption");
  CHECK(fault({{"1.mp4", "x"}, {"1.json", R"({"caption":null})"}}).reason == "missing_caption");
  CHECK(fault({{"1.mp4", "x"}, {"1.json", R"({"caption":7})"}}).reason == "wrong_type");
  CHECK(fault({{"1.mp4", "x"}, {"1.json", "[]"}}).reason == "wrong_type");
  CHECK(fault({{"1.mp4", "x"}, {"1.json", "{"}}).reason == "not_json");
  CHECK(fault({{"1.mp4", "x"}, {"1.json", ""}}).reason == "not_json");
  CHECK(fault({{"1.mp4", "x"}, {"1.txt", "caf\xE9"}}).reason == "not_utf8");
  CHECK(fault({{"caf\xE9.mp4", "x"}, {"caf\xE9.txt", "x"}}).reason == "not_utf8");
  CHECK(fault({{"1.txt", "x"}}).reason == "missing_media");
  CHECK(fault({{"1.txt", "x"}, {"1.npy", "x"}}).reason == "unknown_extension");
  CHECK(fault({{"1", "x"}}).reason == "unknown_extension");
  CHECK(fault({{"1.mp4", "x"}, {"1.wav", "x"}, {"1.txt", "x"}}).reason == "many_media");
  CHECK(fault({{"1.mp4", "x"}, {"1.txt", "x"}, {"1.TXT", "x"}}).reason == "duplicate_member");
  CHECK(fault({{".mp4", "x"}, {".txt", "x"}}).reason == "missing_id");
  CHECK(fault({{"1.mp4", "x"}, {"1.txt", std::string((16 << 20) + 1, 'x')}}).reason == "too_large");
  const auto own = [](const std::string& path) {
    return fault({{"1.json", R"({"id":"1","caption":"x","media":[{"image":")" + path + "\"}]}"}});
  };
  CHECK(own("none.jpg").reason == "missing_media");
  CHECK(own("none.jpg").detail == "no member 'none.jpg'");
  CHECK(own("/etc/hostname").reason == "bad_path");
  CHECK(own("https://e.org/x.jpg").reason == "url");
  CHECK(fault({{"1.json", R"({"id":"1","messages":[]})"}}).reason == "no_turns");
  CHECK(fault({{"1.json", R"({"id":"1","media":[{"image":"good.jpg"}],"x":1})"}}).reason ==
        "missing_key");
}

TEST_CASE("webdataset: what is odd but usable is kept, links are counted") {
  const test::TemporaryFolder folder;
  const fs::path shard = folder.path() / "s.tar";
  std::ofstream(shard, std::ios::binary)
      << tar_member("1.mp4", "x") + tar_member("1.txt", "A") + tar_member("1.npy", "n") +
             tar_member("2.mp4", "", '2') + tar_member("2.txt", "B") +
             tar_member("1.mp4", "newer") + kTarEnd;
  CHECK_THROWS_WITH(open(shard), Contains("no valid sample") && Contains("duplicate_member"));
  std::ofstream(shard, std::ios::binary)
      << tar_member("1.mp4", "x") + tar_member("1.txt", "A") + tar_member("1.npy", "n") +
             tar_member("2.mp4", "", '2') + tar_member("2.txt", "B") + kTarEnd;
  const auto dataset = open(shard);
  CHECK(dataset->size() == 1);
  CHECK(dataset->doubtful().count_of_reason() == Counts{{"unknown_extension", 1}});
  CHECK(dataset->invalid().count_of_reason() == Counts{{"link_member", 1}, {"missing_media", 1}});
}

TEST_CASE("webdataset: sets that are none are refused") {
  const test::TemporaryFolder folder;
  CHECK_THROWS_WITH(open(folder.path()), Contains("no .tar file"));
  CHECK_THROWS_WITH(open(folder.path() / "x.tar"), Contains("x.tar"));
  write_tar(folder.path() / "0.tar", {});
  CHECK_THROWS_WITH(open(folder.path()), Contains("no valid sample"));
  write_tar(folder.path() / "1.tar", kGoodMembers);
  CHECK(open(folder.path())->size() == 1);
  fs::resize_file(folder.path() / "1.tar", 600);
  CHECK_THROWS_WITH(open(folder.path()), Contains("1.tar") && Contains("cut or damaged"));
  DatasetConfig config;
  config.name = config.format = "webdataset";
  config.annotations = folder.path();
  config.media_root = "M";
  CHECK_THROWS_WITH(open_dataset(config), Contains("media_root must be left out"));
  config.format = "vllama";
  config.media_root = "";
  CHECK_THROWS_WITH(open_dataset(config), Contains("media_root is missing"));
}

TEST_CASE("webdataset: the same from an index as from the shards, in the order of the shards") {
  const test::TemporaryFolder folder;
  std::vector<std::string> expected;
  for (int shard = 0; shard < 70; ++shard) {
    Members members;
    for (int i = 0; i < 5; ++i) {
      const std::string key = std::to_string(shard) + "-" + std::to_string(i);
      members.emplace_back(key + ".jpg", "picture " + key);
      if (i != 3) members.emplace_back(key + ".txt", "caption " + key);
      if (i != 3) expected.push_back(key);
    }
    write_tar(folder.path() / (std::to_string(1000 + shard) + ".tar"), members);
  }
  const IndexFolder indexes = IndexFolder::open(folder.path() / "indexes");
  const auto plain = open(folder.path()), made = open(folder.path(), indexes),
             read = open(folder.path(), indexes);
  CHECK(plain->invalid().count_of_reason() == Counts{{"missing_caption", 70}});
  for (const auto* dataset : {&plain, &made, &read}) {
    REQUIRE((*dataset)->size() == 280);
    CHECK((*dataset)->invalid() == plain->invalid());
    for (std::int64_t i = 0; i < 280; ++i) {
      const Record record = (*dataset)->record(i);
      CHECK(record.id == expected[static_cast<std::size_t>(i)]);
      CHECK(caption_of(record) == "caption " + record.id);
      CHECK(content_of(record.media[0]) == "picture " + record.id);
    }
  }
  // Shuffled, a pass takes each once, and any of them without those in front of it.
  const SampleOrder order({{plain->size(), 1}}, {.samples_per_step = 28, .seed = 5});
  std::set<std::string> seen;
  for (std::int64_t step = 9; step >= 0; --step)
    for (const PlannedSample& sample : order.step(step)) seen.insert(read->record(sample.index).id);
  CHECK(seen.size() == 280);
}

TEST_CASE("webdataset: a shard that changes while it is in use fails the run") {
  const Shard shard(kGoodMembers);
  const auto dataset = shard.open();
  write_tar(shard.path(), {{"good.jpg", "j"}, {"good.txt", "\xFF\xFF\xFF\xFF"}});
  CHECK_THROWS_AS(dataset->record(0), RunFailure);
  fs::remove(shard.path());
  CHECK_THROWS_AS(dataset->record(0), RunFailure);
}

TEST_CASE("webdataset: random damage is an error, an invalid sample or another record") {
  const std::string line =
      R"({"id":"2","caption":"c","media":[{"video":"2.mp4","start":1.5},{"image":"1.jpg"}]})";
  const std::string bytes = tar_member("1.jpg", "j") + tar_member("1.txt", "caption") +
                            tar_member("2.mp4", "v") + tar_member("2.json", line) + kTarEnd;
  const test::TemporaryFolder folder;
  const fs::path shard = folder.path() / "s.tar";
  for (std::uint64_t round = 0; round < 1000; ++round) {
    RandomStream random(random_key({13, round}));
    std::string damaged = bytes;
    const std::size_t place = random.below(damaged.size());
    damaged[place] ^= static_cast<char>(1u << random.below(8));
    const std::size_t block = place / 512 * 512;
    if (damaged.substr(block + 257, 5) == "ustar") {
      TarHeader header;
      std::memcpy(&header, damaged.data() + block, 512);
      damaged.replace(block, 512, header_bytes(header));
    }
    fs::remove(shard);
    std::ofstream(shard, std::ios::binary) << damaged;
    try {
      const auto dataset = open(shard);
      for (std::int64_t i = 0; i < dataset->size(); ++i)
        for (const samples::MediaFile& file : dataset->record(i).media) content_of(file);
    } catch (const UserError&) {
    }
  }
}

}  // namespace vllama::datasets
