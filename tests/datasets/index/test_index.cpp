// The index of a data set as a file: made once, shared by processes, and never trusted blindly.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <csignal>
#include <fstream>
#include <sstream>
#include <thread>

#include "core/files.h"
#include "core/random.h"
#include "tests/datasets/annotation_file.h"
#include "tests/datasets/index/index_bench.h"

namespace vllama::datasets {
namespace {

using Catch::Matchers::Contains;
using std::chrono::milliseconds;

}  // namespace

TEST_CASE("an index comes back as it was made, and is made once") {
  Bench bench;
  check_example(bench.open());
  check_example(bench.open());
  CHECK(bench.num_builds == 1);
  struct stat facts {};
  REQUIRE(stat(bench.folder().path()->c_str(), &facts) == 0);
  CHECK((facts.st_mode & 0777) == 0700);
  CHECK_THAT(bench.index_file().filename().string(), Contains("test-"));
}

TEST_CASE("an index of files that changed, moved, or of another reader is made anew") {
  Bench bench;
  bench.open();
  std::ofstream(bench.source(), std::ios::app) << "x";
  bench.open();
  CHECK(bench.num_builds == 2);
  const timespec times[] = {{1'000'000, 1}, {1'000'000, 2}};
  utimensat(AT_FDCWD, bench.source().c_str(), times, 0);
  bench.open();
  CHECK(bench.num_builds == 3);
  const timespec later[] = {{1'000'000, 1}, {1'000'000, 3}};
  utimensat(AT_FDCWD, bench.source().c_str(), later, 0);
  bench.open();
  CHECK(bench.num_builds == 4);
  bench.open();
  CHECK(bench.num_builds == 4);
  open_index(bench.folder(), {"test reader 2", {bench.source()}}, [&] {
    ++bench.num_builds;
    return example_content();
  });
  CHECK(bench.num_builds == 5);
}

TEST_CASE("a file that changes while it is indexed fails the run") {
  Bench bench;
  const auto build = [&] {
    std::ofstream(bench.source(), std::ios::app) << "more";
    return example_content();
  };
  CHECK_THROWS_AS(open_index(bench.folder(), bench.key(), build), RunFailure);
  CHECK(bench.index_file().empty());
  CHECK_THROWS_WITH(open_index(bench.folder(), {"test 1", {"/nonexistent"}}, build),
                    Contains("/nonexistent"));
}

TEST_CASE("any flipped bit, cut or foreign content makes an index be made again") {
  Bench bench;
  bench.open();
  const fs::path file = bench.index_file();
  const std::string good = read_file(file);
  int expected = 1;
  const auto check_remade = [&](const std::string& content) {
    fs::remove(file);  // emptying it would wait for the disk
    std::ofstream(file, std::ios::binary) << content;
    check_example(bench.open());
    CHECK(bench.num_builds == ++expected);
    REQUIRE(read_file(file) == good);
  };
  for (std::size_t i = 0; i < good.size(); i += 3) {
    std::string damaged = good;
    damaged[i] ^= static_cast<char>(1 << i % 8);
    check_remade(damaged);
  }
  for (std::size_t length = 0; length < good.size(); length += 29)
    check_remade(good.substr(0, length));
  check_remade(good + std::string(8, '\0'));
  check_remade("no index at all, but long enough to be one, if nobody looked at its magic number");
  check_remade(std::string(4096, '\xFF'));
}

TEST_CASE("numbers of a directory that lead outside are found though the checksum is right") {
  // The checksum of the words behind the preamble, as index_file.cpp computes it.
  const auto with_checksum = [](std::string bytes) {
    std::uint64_t sum = 0;
    for (std::size_t i = 32; i < bytes.size(); i += 8) {
      std::uint64_t word;
      std::memcpy(&word, bytes.data() + i, 8);
      sum = std::rotl(sum ^ word, 29) * 0x9e3779b97f4a7c15;
    }
    std::memcpy(bytes.data() + 24, &sum, 8);
    return bytes;
  };
  Bench bench;
  bench.open();
  const fs::path file = bench.index_file();
  const std::string good = read_file(file);
  REQUIRE(with_checksum(good) == good);
  int expected = 1;
  // The numbers of the directory, and where the arrays begin and how long they are.
  std::vector<std::size_t> places = {32, 40};
  for (std::size_t array = 0; array < 6; ++array)
    for (std::size_t part = 0; part < 2; ++part) places.push_back(48 + 40 * array + 16 + 8 * part);
  for (const std::size_t place : places)
    for (const std::uint64_t value : {std::uint64_t{1} << 63, ~std::uint64_t{0},
                                      ~std::uint64_t{0} - 7, std::uint64_t{1} << 20}) {
      std::string damaged = good;
      std::memcpy(damaged.data() + place, &value, 8);
      fs::remove(file);
      std::ofstream(file, std::ios::binary) << with_checksum(damaged);
      check_example(bench.open());
      CHECK(bench.num_builds == ++expected);
    }
}

TEST_CASE("half a file of a builder that was killed while it wrote is no index") {
  Bench bench;
  bench.open();
  const fs::path file = bench.index_file();
  const std::string good = read_file(file);
  fs::remove(file);
  std::ofstream(file.string() + ".tmp", std::ios::binary) << good.substr(0, good.size() / 2);
  check_example(bench.open());
  CHECK(bench.num_builds == 2);
  CHECK(read_file(file) == good);
  CHECK(!fs::exists(file.string() + ".tmp"));
}

TEST_CASE("a folder that cannot be used leaves the index in memory") {
  const test::TemporaryFolder folder;
  const auto path_for = [](const fs::path& path) { return IndexFolder::open(path).path(); };
  std::ofstream(folder.path() / "file") << "x";
  CHECK(!path_for(folder.path() / "file"));
  CHECK(!path_for("/proc/nothing/here"));
  fs::create_directory(folder.path() / "open");
  fs::permissions(folder.path() / "open", fs::perms::all);
  CHECK(!path_for(folder.path() / "open"));
  CHECK(path_for(folder.path() / "new/inside"));
  fs::create_directory_symlink(folder.path() / "new", folder.path() / "link");
  CHECK(path_for(folder.path() / "link") == fs::canonical(folder.path() / "new"));

  const std::string usual = fs::temp_directory_path();
  setenv("TMPDIR", folder.path().c_str(), 1);
  const std::string name = "vllama-index-" + std::to_string(geteuid());
  CHECK(path_for("") == folder.path() / name);
  fs::remove(folder.path() / name);
  fs::create_directory_symlink(folder.path() / "new", folder.path() / name);
  CHECK(!path_for(""));  // somebody else may have put it there
  setenv("TMPDIR", usual.c_str(), 1);

  Bench bench;
  fs::remove_all(*bench.folder().path());  // gone behind our back
  check_example(bench.open());
  check_example(bench.open());
  CHECK(bench.num_builds == 2);
}

TEST_CASE("where the lock or the file cannot be made the index stays in memory") {
  for (const std::string obstacle : {".lock", ".tmp"}) {
    INFO(obstacle);
    Bench bench;
    bench.open();
    const fs::path file = bench.index_file();
    fs::remove(file);
    fs::remove(file.string() + obstacle);
    fs::create_directory(file.string() + obstacle);
    check_example(bench.open());
    check_example(bench.open());
    CHECK(bench.num_builds == 3);
    CHECK(!fs::exists(file));
  }
}

TEST_CASE("data sets of every kind of file say the same from an index as from their files") {
  const test::TemporaryFolder folder;
  const IndexFolder indexes = IndexFolder::open(folder.path() / "indexes");
  const AnnotationFile csv(
      "audiocap_id,youtube_id,start_time,caption\n1,a,0,x\n1,b,0,y\n2,c,x,z\n3,d,5,\"w\nv\"\n",
      "rows.csv");
  const AnnotationFile json(
      R"([{"id":"1","image":"a.jpg","conversations":[{"from":"gpt","value":"a"}]},
          {"id":"2","image":"","conversations":[{"from":"gpt","value":"b"}]},
          {"id":"1","id":"1","image":"c.jpg","conversations":[{"from":"gpt","value":"c"}]}])");
  const AnnotationFile lines(R"({"id":"1","caption":"x","media":[{"image":"a.jpg"}]})"
                             "\n{\n\n"
                             R"({"id":"1","caption":"y","media":[{"video":"b.mp4"}]})",
                             "rows.jsonl");
  const auto check_same = [&](const AnnotationFile& file, const std::string& format) {
    INFO(format);
    DatasetConfig config;
    config.name = config.format = format;
    config.annotations = file.path();
    config.media_root = "M";
    const auto plain = open_dataset(config), made = open_dataset(config, indexes),
               read = open_dataset(config, indexes);
    for (const auto* dataset : {&made, &read}) {
      REQUIRE((*dataset)->size() == plain->size());
      CHECK((*dataset)->invalid() == plain->invalid());
      CHECK((*dataset)->doubtful() == plain->doubtful());
      for (std::int64_t i = 0; i < plain->size(); ++i) {
        CHECK((*dataset)->record(i).id == plain->record(i).id);
        CHECK((*dataset)->record(i).conversation.turns.at(0).answer ==
              plain->record(i).conversation.turns.at(0).answer);
      }
    }
    CHECK(plain->size() == (format == "audiocaps" ? 3 : 2));
    CHECK(plain->invalid().total() == 1);
    CHECK(plain->doubtful().total() > 0);
  };
  check_same(csv, "audiocaps");
  check_same(json, "cc595k");
  check_same(lines, "vllama");
  std::int64_t num_indexes = 0;
  for (const auto& entry : fs::directory_iterator(*indexes.path()))
    num_indexes += entry.path().extension() == ".index";
  CHECK(num_indexes == 3);
}

}  // namespace vllama::datasets
