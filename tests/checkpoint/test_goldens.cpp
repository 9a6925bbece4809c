// Every published-format file of the goldens is read.
#include <catch2/catch.hpp>

#include "checkpoint/load.h"
#include "checkpoint/pth_reader.h"
#include "tests/support/fixtures.h"

using namespace vllama;
using namespace vllama::checkpoint;

TEST_CASE("the program's own checkpoint is read whole") {
  VLLAMA_SHARED_FILE(path, "goldens/runs/vl_stage1_webvid/checkpoint_1.pth");
  const Value content = read_pth(path);
  REQUIRE(content.find("epoch") != nullptr);
  CHECK(*content.find("epoch")->get_if<std::int64_t>() == 1);
  CHECK(content.find("scaler")->is_none());
}
