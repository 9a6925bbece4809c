// vllama toy-base as a user runs it: files, table and exit status.
#include <catch2/catch.hpp>
#include <filesystem>

#include "core/files.h"
#include "tests/support/fixtures.h"
#include "tests/tools/program.h"

using namespace vllama;
using Catch::Contains;

namespace {

constexpr const char* kBaseSizes = R"(
vision:
  encoder: {image_size: 56, width: 32, num_blocks: 1, num_heads: 2, mlp_width: 64}
  image_q_former: {num_queries: 4, num_layers: 1, width: 32, num_heads: 2, mlp_width: 64}
language: {width: 32, mlp_width: 64, num_layers: 1, num_heads: 2}
)";

}  // namespace

TEST_CASE("toy-base: gates that fail are an exit status, and the files are there all the same") {
  const test::TemporaryFolder folder;
  const std::string sizes = (folder.path() / "sizes.yaml").string();
  write_file_atomically(sizes, kBaseSizes);
  const std::string weights = (folder.path() / "weights").string();
  const auto made =
      test::run_program("toy-base vision '" + weights + "' --steps 2 --sizes '" + sizes + "'");
  CAPTURE(made.output);
  CHECK(made.status == 1);
  CHECK_THAT(made.output, Contains("kind, from clips") && Contains(" no\n"));
  CHECK(std::filesystem::exists(weights + "/eva_vit_g.pth"));
  CHECK(std::filesystem::exists(weights + "/blip2_qformer.pth"));
}

TEST_CASE("toy-base: what is missing is a user's mistake") {
  const test::TemporaryFolder folder;
  const std::string path = folder.path().string();
  const auto gates = test::run_program("toy-base gates '" + path + "'");
  CHECK(gates.status == 2);
  CHECK_THAT(gates.output, Contains("neither eva_vit_g.pth nor imagebind_huge.pth"));
  const auto image_bind = test::run_program("toy-base image-bind '" + path + "'");
  CHECK(image_bind.status == 2);
  CHECK_THAT(image_bind.output, Contains("eva_vit_g.pth"));
  CHECK(test::run_program("toy-base").status == 2);
}
