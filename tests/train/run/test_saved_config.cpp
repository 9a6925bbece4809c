// Configurations that earlier versions of the program wrote beside their runs.
#include <catch2/catch.hpp>
#include <sstream>
#include <string>

#include "config/fields.h"
#include "core/files.h"
#include "tests/support/fixtures.h"
#include "train/run/run_config.h"

using namespace vllama;

// `tests/golden/runs/config_without_kinds.yaml`: of a run with both encoders of the audio branch,
// by the program of before configurations said which encoder they mean.
TEST_CASE("saved configurations: one without kinds of encoders means those that there were") {
  const auto file = test::golden_file("runs/config_without_kinds.yaml");
  const auto config = config::read<train::RunConfig>(config::load_file(file));
  std::istringstream lines(config::dump(config));
  std::string line, written;
  int num_kinds = 0;
  while (std::getline(lines, line)) {
    const bool names_encoder = line == "      kind: eva_vit_g" || line == "      kind: image_bind";
    num_kinds += names_encoder;
    if (!names_encoder) written += line + "\n";
  }
  CHECK(num_kinds == 3);
  CHECK(written == read_file(file));
}
