#include <sys/stat.h>

#include <catch2/catch.hpp>

#include "core/error.h"
#include "core/files.h"
#include "tests/support/fixtures.h"

using namespace vllama;

TEST_CASE("a file is replaced whole and leaves no temporary name") {
  const test::TemporaryFolder folder;
  const auto path = folder.path() / "a.txt";
  write_file_atomically(path, "one");
  write_file_atomically(path, "two");
  CHECK(read_file(path) == "two");
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 1);
}

TEST_CASE("a full disk is reported with the system's reason") {
  CHECK_THROWS_WITH(write_file_atomically("/dev/full/x", "data"), Catch::Contains("/dev/full/x"));
}

TEST_CASE("a file that is not committed leaves the old one and no temporary name") {
  const test::TemporaryFolder folder;
  const auto path = folder.path() / "a.txt";
  write_file_atomically(path, "old");
  {
    AtomicFile file(path);
    file.append("half of the ");
    CHECK(file.num_bytes() == 12);
  }
  CHECK(read_file(path) == "old");
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 1);
}

TEST_CASE("reading what is not there names the path") {
  const test::TemporaryFolder folder;
  CHECK_THROWS_AS(read_file(folder.path() / "none"), UserError);
  CHECK_THROWS_WITH(MappedFile::open(folder.path() / "none"), Catch::Contains("none"));
  CHECK_THROWS_WITH(MappedFile::open(folder.path()), Catch::Contains("not a regular file"));
  CHECK_THROWS_WITH(read_file(folder.path()), Catch::Contains("folder"));
}

TEST_CASE("a mapping shows the file, also after its pages were released") {
  const test::TemporaryFolder folder;
  const auto path = folder.path() / "big";
  write_file_atomically(path, std::string(100000, 'x'));
  const auto mapped = MappedFile::open(path);
  REQUIRE(mapped->bytes().size() == 100000);
  mapped->release_pages(0, 100000);
  CHECK(mapped->text()[99999] == 'x');
  write_file_atomically(path, "");
  CHECK(MappedFile::open(path)->bytes().empty());
}
