// The WebVid reader: goldens of the original program, invalid rows, and files that are no data set.
#include <catch2/catch.hpp>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "core/error.h"
#include "core/files.h"
#include "datasets/readers/webvid.h"
#include "tests/support/fixtures.h"
#include "text/caption.h"

namespace vllama::datasets {
namespace {

using Catch::Matchers::Contains;
namespace fs = std::filesystem;

const std::string kHeader = "videoid,contentUrl,duration,page_dir,name\n";

void write(const fs::path& path, const std::string& content) {
  std::ofstream(path, std::ios::binary) << content;
}

// One annotation file of a folder of its own.
class Annotations {
 public:
  explicit Annotations(const std::string& content, const std::string& name = "rows.csv") {
    write(folder_.path() / name, content);
  }
  const fs::path& folder() const { return folder_.path(); }
  WebVid open() const { return WebVid(folder(), "VIDEOS"); }

 private:
  test::TemporaryFolder folder_;
};

std::map<std::string, std::int64_t> webvid_faults(const std::string& rows) {
  return Annotations(kHeader + "ok,u,PT1S,p,fine\n" + rows).open().invalid().count_of_reason();
}

struct Row {
  std::string path, text;
  bool operator==(const Row&) const = default;
};

Row row_of(const WebVid& dataset, std::int64_t index) {
  const Record record = dataset.record(index);
  return {record.media.at(0).source.name(),
          text::CaptionCleaner{}(record.conversation.turns.at(0).answer)};
}

}  // namespace

TEST_CASE("rows become paths and captions as in the original program, or better") {
  VLLAMA_SHARED_FILE(file, "goldens/text/webvid_csv_cases.json");
  // What we do where pandas loses digits of an id, cannot join a path or stops at one bad row.
  const std::map<std::string, std::vector<Row>> kBetter = {
      {"leading_zeros", {{"VIDEOS/006001_006050/00123.mp4", "x"}, {"VIDEOS/7/000045.mp4", "y"}}},
      {"missing_id", {{"VIDEOS/p/12.mp4", "one"}}},
      {"numeric_page_dir", {{"VIDEOS/001/12.mp4", "one"}}},
      {"float_id", {{"VIDEOS/p/1.0.mp4", "f"}, {"VIDEOS/p/2.mp4", "g"}}},
      {"numeric_name", {{"VIDEOS/p/1.mp4", "2020"}}},
      {"too_few_fields", {{"VIDEOS/p/2.mp4", "ok"}}},
      {"too_many_fields", {{"VIDEOS/p/1.mp4", "a"}}},
  };
  const std::set<std::string> kNoRows = {"empty_name", "na_name", "no_name_column"};
  int num_equal = 0;
  for (const auto& golden : nlohmann::json::parse(read_file(file))) {
    const std::string name = golden.at("name");
    INFO(name);
    if (!golden.contains("csv")) {
      // The original reads no TSV; ours does.
      const Annotations tsv("videoid\tpage_dir\tname\n007\tp\tA, b\n", "0.tsv");
      CHECK(row_of(tsv.open(), 0) == Row{"VIDEOS/p/007.mp4", "a, b"});
      continue;
    }
    const Annotations annotations(golden.at("csv").get<std::string>());
    if (kNoRows.contains(name)) {
      CHECK_THROWS_AS(annotations.open(), UserError);
      continue;
    }
    const WebVid dataset = annotations.open();
    std::vector<Row> rows, expected;
    for (std::int64_t i = 0; i < dataset.size(); ++i) rows.push_back(row_of(dataset, i));
    if (const auto better = kBetter.find(name); better != kBetter.end()) {
      expected = better->second;
    } else {
      for (const auto& row : golden.at("rows"))
        expected.push_back({row.at("path").get<std::string>(), row.at("text").get<std::string>()});
      ++num_equal;
    }
    CHECK(rows == expected);
  }
  CHECK(num_equal == 12);
}

TEST_CASE("invalid rows are counted by reason and named with file and line") {
  CHECK(webvid_faults(",u,d,p,x\n").at("missing_id") == 1);
  CHECK(webvid_faults("  ,u,d,p,x\n").at("missing_id") == 1);
  CHECK(webvid_faults("1,u,d,,x\n").at("missing_directory") == 1);
  CHECK(webvid_faults("1,u,d,p,\n2,u,d,p,NA\n3,u,d,p,\"nan\"\n4,u,d,p,\"  \"\n5,u,d,p\n")
            .at("missing_caption") == 5);
  CHECK(webvid_faults("1,u,d,p,a,b\n").at("too_many_fields") == 1);
  CHECK(webvid_faults("1,u,d,p,caf\xE9\n").at("not_utf8") == 1);
  CHECK(webvid_faults("1,u,d,p,caf\xC3\xA9\n").empty());

  const Annotations annotations(kHeader + "1,u,d,p,\"two\nlines\"\n2,u,d,p,\n3,u,d,p,x\n");
  const WebVid dataset = annotations.open();
  CHECK(dataset.size() == 2);
  REQUIRE(dataset.invalid().listed().size() == 1);
  CHECK(dataset.invalid().listed()[0].place == (annotations.folder() / "rows.csv").string() + ":4");
  CHECK(dataset.record(0).conversation.turns.at(0).answer == "two\nlines");
  CHECK(dataset.record(1).id == "3");
}

TEST_CASE("a quotation mark that is never closed costs its row") {
  const Annotations annotations(kHeader + "1,u,d,p,\"a\nb\"\n2,u,d,p,\"open, and\n3,u,d,p,c\n" +
                                "4,u,d,p,\n5,u,d,p,d \"\" e\n");
  const WebVid dataset = annotations.open();
  REQUIRE(dataset.size() == 3);
  const auto& invalid = dataset.invalid().listed();
  REQUIRE(invalid.size() == 2);
  CHECK(invalid[0].reason == "open_quote");
  CHECK_THAT(invalid[0].place, Catch::EndsWith("rows.csv:4"));
  CHECK(invalid[1].reason == "missing_caption");
  CHECK_THAT(invalid[1].place, Catch::EndsWith("rows.csv:6"));
  for (const auto& [index, caption] :
       {std::pair{2, "d \"\" e"}, std::pair{0, "a\nb"}, std::pair{1, "c"}})
    CHECK(dataset.record(index).conversation.turns.at(0).answer == caption);
}

TEST_CASE("all CSV and TSV files of a folder are read, sorted by name, each with its own header") {
  const test::TemporaryFolder folder;
  write(folder.path() / "b.csv", "name,page_dir,videoid\nthird,p,3\n");
  write(folder.path() / "a.csv", kHeader + "1,u,d,p,first\n2,u,d,p,second\n");
  write(folder.path() / "c.tsv", "videoid\tname\tpage_dir\n4\tfourth\tp\n");
  write(folder.path() / "notes.txt", "not for us");
  const WebVid dataset(folder.path(), "V");
  std::string captions;
  for (std::int64_t i = 0; i < dataset.size(); ++i)
    captions += dataset.record(i).id + dataset.record(i).conversation.turns.at(0).answer + " ";
  CHECK(captions == "1first 2second 3third 4fourth ");
  CHECK(WebVid(folder.path() / "b.csv", "V").size() == 1);
}

TEST_CASE("annotations that are no WebVid data set are refused with a reason") {
  CHECK_THROWS_WITH(WebVid("/nonexistent/folder", "V"), Contains("/nonexistent/folder"));
  CHECK_THROWS_AS(WebVid(std::string(300, 'n'), "V"), UserError);
  const test::TemporaryFolder empty;
  CHECK_THROWS_WITH(WebVid(empty.path(), "V"), Contains("no .csv or .tsv"));
  CHECK_THROWS_WITH(Annotations("").open(), Contains("header line"));
  CHECK_THROWS_WITH(Annotations(kHeader).open(), Contains("no valid row"));
  CHECK_THROWS_WITH(Annotations("videoid,page_dir\n1,p\n").open(),
                    Contains("no column 'name'") && Contains("videoid, page_dir"));
  CHECK_THROWS_WITH(Annotations("videoid,page_dir,\"name\n1,p,x\n").open(),
                    Contains("header line") && Contains("never closed"));
  CHECK_THROWS_WITH(Annotations(kHeader + "1,u,d,p,\"open\n").open(),
                    Contains("1 open_quote") && Contains("rows.csv:2"));
  CHECK_THROWS_WITH(Annotations(kHeader + "1,u,d,p,\n").open(), Contains("1 missing_caption"));
}

TEST_CASE("real WebVid rows are read") {
  VLLAMA_SHARED_FILE(file, "fixtures/annotations/webvid_sample.csv");
  const WebVid dataset(file, "V");
  CHECK(dataset.size() == 20);
  CHECK(dataset.invalid().total() == 0);
  const Record record = dataset.record(6);
  CHECK(record.id == "1020335461");
  CHECK(record.media.at(0).source == "V/000851_000900/1020335461.mp4");
  CHECK(record.conversation.turns.at(0).answer ==
        "Moroccan flag waving in the wind in medieval town essaouira, morocco");
}

TEST_CASE("every row of a file larger than the scan window is found") {
  const test::TemporaryFolder folder;
  constexpr std::int64_t kRows = 150000;
  {
    std::ofstream csv(folder.path() / "large.csv");
    csv << kHeader;
    for (std::int64_t i = 0; i < kRows; ++i)
      csv << i << ",https://example.org/a/rather/long/address/of/a/video/" << i
          << ".mp4,PT1S,p,caption " << i << "\n";
  }
  const WebVid dataset(folder.path(), "V");
  REQUIRE(dataset.size() == kRows);
  CHECK(fs::file_size(folder.path() / "large.csv") > 10'000'000);
  for (std::int64_t i = 0; i < kRows; i += 997)
    REQUIRE(dataset.record(i).conversation.turns.at(0).answer == "caption " + std::to_string(i));
}

}  // namespace vllama::datasets
