// Paths in configurations: the home folder, variables of the environment, and what is refused.
#include <stdlib.h>

#include <catch2/catch.hpp>

#include "config/fields.h"
#include "core/error.h"
#include "core/files.h"
#include "tests/support/fixtures.h"

using namespace vllama;
using Catch::Contains;

namespace {

struct FileConfig {
  std::string file;
  template <class Visitor>
  void visit(Visitor&& field) {
    field("file", file, "a file", config::Path{}, config::Required{});
  }
};

struct PathConfig {
  std::string folder, word;
  std::vector<FileConfig> files;
  FileConfig more;
  std::optional<FileConfig> perhaps;
  template <class Visitor>
  void visit(Visitor&& field) {
    field("folder", folder, "a folder", config::Path{});
    field("word", word, "no path");
    field("files", files, "files");
    field("more", more, "a section");
    field("perhaps", perhaps, "a section or none");
  }
};

PathConfig parse_paths(const std::string& text, const std::vector<std::string>& overrides = {}) {
  auto tree = config::load_text(text, "run.yaml");
  for (const auto& assignment : overrides) config::apply_override(tree, assignment);
  return config::read<PathConfig>(tree);
}

std::string folder_of(const std::string& text) {
  return parse_paths("folder: '" + text + "'").folder;
}

}  // namespace

TEST_CASE("paths: the home folder and variables, wherever they stand") {
  ::setenv("HOME", "/home/me", 1);
  ::setenv("DATA_1", "/big disk", 1);
  ::unsetenv("UNSET");
  CHECK(folder_of("~") == "/home/me");
  CHECK(folder_of("~/a/~b") == "/home/me/a/~b");
  CHECK(folder_of("$DATA_1/x") == "/big disk/x");
  CHECK(folder_of("${DATA_1}x/$DATA_1") == "/big diskx//big disk");
  CHECK(folder_of("shards-{000..012}.tar") == "shards-{000..012}.tar");
  CHECK(folder_of("cost in $$/x") == "cost in $/x");
  CHECK(folder_of("./~me") == "./~me");
  CHECK(folder_of("") == "");
  const auto read = parse_paths("files: [{file: ~/a}, {file: $DATA_1/b}]\nword: $DATA_1\n",
                                {"more.file=~/c", "files.1.file=${DATA_1}/d"});
  CHECK(read.files.at(0).file == "/home/me/a");
  CHECK(read.files.at(1).file == "/big disk/d");
  CHECK(read.more.file == "/home/me/c");
  CHECK(read.word == "$DATA_1");
}

TEST_CASE("paths: what cannot be meant is refused with its place") {
  ::unsetenv("UNSET");
  ::setenv("NOTHING", "", 1);
  CHECK_THROWS_WITH(parse_paths("more:\n  file: $UNSET/x\n"),
                    Contains("run.yaml:2: 'more.file' names the environment variable UNSET, which "
                             "is not set") &&
                        Contains("$$"));
  CHECK_THROWS_WITH(parse_paths("", {"folder=/a/${UNSET}"}),
                    Contains("--set folder: 'folder' names"));
  CHECK_THROWS_WITH(folder_of("$NOTHING/x"), Contains("NOTHING, which is empty"));
  CHECK_THROWS_WITH(folder_of("a$"), Contains("begins no name of a variable"));
  CHECK_THROWS_WITH(folder_of("$5/x"), Contains("begins no name"));
  CHECK_THROWS_WITH(folder_of("${UNSET"), Contains("begins no name"));
  CHECK_THROWS_WITH(folder_of("${}"), Contains("begins no name"));
  CHECK_THROWS_WITH(folder_of("~root/x"), Contains("begins with '~root'"));
  ::setenv("HOME", "", 1);
  CHECK_THROWS_WITH(folder_of("~/x"), Contains("HOME, which is empty"));
}

TEST_CASE("paths: what is written reads back as the same path") {
  for (const std::string path : {"/a/$b/${c}", "~", "~me/x", "/a b/$$", "x"}) {
    PathConfig before;
    before.folder = path;
    before.more.file = path;
    const auto again = parse_paths(config::dump(before));
    CHECK((again.folder == path || again.folder == "./" + path));
    CHECK(config::dump(again) == config::dump(before));
  }
}

TEST_CASE("paths: all of a configuration are changed at once") {
  PathConfig config;
  config.folder = "f";
  config.word = "w";
  config.files = {{"a"}, {""}};
  config.more.file = "m";
  config.perhaps = FileConfig{"p"};
  std::string keys;
  config::change_paths(config, [&](const std::string& key, const std::string& path) {
    keys += key + " ";
    return path + path;
  });
  CHECK(keys == "folder files.0.file more.file perhaps.file ");
  CHECK(config.folder == "ff");
  CHECK(config.word == "w");
  CHECK(config.files.at(0).file == "aa");
  CHECK(config.files.at(1).file == "");
  CHECK(config.perhaps->file == "pp");
}

TEST_CASE("paths: included files") {
  const test::TemporaryFolder folder;
  ::setenv("PARTS", folder.path().c_str(), 1);
  ::unsetenv("UNSET");
  write_file_atomically(folder.path() / "part.yaml", "word: here\n");
  write_file_atomically(folder.path() / "run.yaml", "include: $PARTS/part.yaml\n");
  CHECK(config::read<PathConfig>(config::load_file(folder.path() / "run.yaml")).word == "here");
  write_file_atomically(folder.path() / "run.yaml", "include: ${UNSET}/part.yaml\n");
  CHECK_THROWS_WITH(config::load_file(folder.path() / "run.yaml"),
                    Contains("run.yaml:1: 'include' names the environment variable UNSET"));
  write_file_atomically(folder.path() / "run.yaml",
                        "include: " + std::string(400, 'J') + ".yaml\n");
  CHECK_THROWS_WITH(config::load_file(folder.path() / "run.yaml"),
                    Contains("cannot read") && Contains("File name too long"));
}
