#include <catch2/catch.hpp>

#include "output/table.h"

using namespace vllama::output;

TEST_CASE("numbers are aligned at the right, words at the left, totals under a line") {
  const Table table{"Trained parameters",
                    {"module", "tensors", "parameters", "starts from"},
                    {{"video_Qformer", "55", "18,913,536", "BLIP-2"},
                     {"llama_proj", "2", "3,149,824", "MiniGPT-4"},
                     {"video_query_tokens", "1", "24,576", "normal(0, 0.02)"}},
                    {"total", "58", "22,087,936"}};
  CHECK(format_table(table) ==
        "Trained parameters\n"
        "  module              tensors  parameters  starts from\n"
        "  --------------------------------------------------------\n"
        "  video_Qformer            55  18,913,536  BLIP-2\n"
        "  llama_proj                2   3,149,824  MiniGPT-4\n"
        "  video_query_tokens        1      24,576  normal(0, 0.02)\n"
        "  --------------------------------------------------------\n"
        "  total                    58  22,087,936\n");
}

TEST_CASE("a table without title and header is just its rows") {
  CHECK(format_table({"", {}, {{"seed", "42"}, {"output_dir", "runs/a b"}}, {}}) ==
        "  seed        42\n"
        "  output_dir  runs/a b\n");
  CHECK(format_table({}) == "");
  CHECK(format_table({"Nothing", {}, {}, {}}) == "Nothing\n");
}

TEST_CASE("rows may be of different lengths, and letters beyond ASCII count once") {
  CHECK(display_width("café") == 4);
  CHECK(format_table({"", {"a"}, {{"café", "1"}, {}, {"tea", "-12", "x"}}, {}}) ==
        "  a\n"
        "  ------------\n"
        "  café    1\n"
        "\n"
        "  tea   -12  x\n");
}

TEST_CASE("no cell can move the cursor") {
  CHECK(format_table({"", {}, {{"a\x1b[2Jb\nc\td"}}, {}}) == "  a?[2Jb?c?d\n");
}
