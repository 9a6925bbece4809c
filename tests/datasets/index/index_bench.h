// An index of known content, and a file that it is an index of.
#pragma once

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "datasets/index/index_file.h"
#include "tests/support/fixtures.h"

namespace vllama::datasets {

namespace fs = std::filesystem;

struct Pair {
  std::uint64_t first, second;
};

inline IndexContent example_content() {
  IndexContent content;
  content.add("pairs", std::vector<Pair>{{1, 2}, {3, 4}, {5, 6}});
  content.add("none", std::vector<std::uint64_t>{});
  IndexTexts names;
  names.add("");
  names.add("caf\xC3\xA9");
  names.add(std::string("\0\xFF", 2));
  content.add("names", std::move(names));
  tables::EntryTallies tallies;
  tallies.invalid.add("missing_caption", "rows.csv:7");
  tallies.invalid.add("missing_caption", "rows.csv:9", "a detail");
  tallies.doubtful.add("duplicate_id", "rows.csv:8", "'x' occurred before");
  content.add(tallies);
  return content;
}

inline void check_example(const Index& index) {
  const auto pairs = index.array<Pair>("pairs");
  REQUIRE(pairs.size() == 3);
  CHECK(pairs[2].second == 6);
  CHECK(index.array<std::uint64_t>("none").empty());
  const TextArray names = index.texts("names");
  REQUIRE(names.size() == 3);
  CHECK(names[0].empty());
  CHECK(names[1] == "caf\xC3\xA9");
  CHECK(names[2] == std::string("\0\xFF", 2));
  const tables::EntryTallies tallies = index.tallies();
  CHECK(tallies.invalid.summary() == "2 missing_caption, the first at rows.csv:7");
  CHECK(tallies.invalid.listed()[1].detail == "a detail");
  CHECK(tallies.doubtful.count_of_reason() == Counts{{"duplicate_id", 1}});
}

// A file to be indexed, and a folder that keeps the index.
class Bench {
 public:
  Bench() : folder_(IndexFolder::open(files_.path() / "indexes")) {
    std::ofstream(source()) << "some rows";
  }

  fs::path source() const { return files_.path() / "rows"; }
  fs::path builds() const { return files_.path() / "builds"; }
  const IndexFolder& folder() const { return folder_; }
  IndexKey key() const { return {"test reader 1", {source()}}; }

  Index open() {
    return open_index(folder_, key(), [this] {
      ++num_builds;
      return example_content();
    });
  }
  fs::path index_file() const {
    for (const auto& entry : fs::directory_iterator(*folder_.path()))
      if (entry.path().extension() == ".index") return entry.path();
    return {};
  }

  int num_builds = 0;

 private:
  test::TemporaryFolder files_;
  IndexFolder folder_;
};

}  // namespace vllama::datasets
