#include <catch2/catch.hpp>

#include "core/files.h"
#include "tests/support/fixtures.h"
#include "train/record/dropped_log.h"

using namespace vllama;

TEST_CASE("a resumed run forgets the drops of the steps it repeats, and a torn line") {
  const test::TemporaryFolder folder;
  const auto path = folder.path() / "dropped.jsonl";
  {
    train::DroppedLog log(path, 0);
    log.write({{.step = 0,
                .dataset = "a",
                .id = "x",
                .path = "x.mp4",
                .reason = "not_found",
                .detail = "no\nsuch \xff file"}});
    log.write({{.step = 4,
                .dataset = "a",
                .id = "y",
                .path = "y.mp4",
                .reason = "corrupt",
                .detail = ""}});
  }
  const std::string before = read_file(path);
  CHECK(std::count(before.begin(), before.end(), '\n') == 2);
  write_file_atomically(path, before + "{\"step\": \"1\"}\n[1]\n{\"step\": 1, \"data");
  train::DroppedLog(path, 1);
  const std::string after = read_file(path);
  CHECK(after == before.substr(0, before.find('\n') + 1));
  CHECK_THAT(after, Catch::Contains("\"step\":1") && Catch::Contains("not_found"));
}
