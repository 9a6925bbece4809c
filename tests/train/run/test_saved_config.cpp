// Configurations that earlier versions of the program wrote beside their runs.
#include <algorithm>
#include <catch2/catch.hpp>
#include <iterator>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "config/fields.h"
#include "core/files.h"
#include "tests/support/fixtures.h"
#include "train/run/run_config.h"

using namespace vllama;

namespace {

std::multiset<std::string> lines_of(const std::string& text) {
  std::multiset<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.insert(line);
  return lines;
}

}  // namespace

// `tests/golden/runs/config_without_kinds.yaml`: of a run with both encoders of the audio branch,
// by the program of before configurations said which encoders and connectors they mean.
TEST_CASE("saved configurations: one without kinds of encoders means those that there were") {
  const auto file = test::golden_file("runs/config_without_kinds.yaml");
  const auto config = config::read<train::RunConfig>(config::load_file(file));
  const auto written = lines_of(config::dump(config)), saved = lines_of(read_file(file));
  std::vector<std::string> added, lost;
  std::ranges::set_difference(written, saved, std::back_inserter(added));
  std::ranges::set_difference(saved, written, std::back_inserter(lost));
  CHECK(lost.empty());
  CHECK(added == std::vector<std::string>{
                     "      alpha: 16", "      clip_pooling: 1", "      kind: eva_vit_g",
                     "      kind: image_bind", "      kind: image_bind", "      merge: 1",
                     "      rank: 8", "      targets: []", "    audio_encoder: \"\"",
                     "    connector: q_former", "    encoder_lora:", "    frame_resampler: auto",
                     "    mlp:", "    system: \"\"", "  interleave: false"});
  // What is written means the same.
  const auto again =
      config::read<train::RunConfig>(config::load_text(config::dump(config), "written"));
  CHECK(config::dump(again) == config::dump(config));
}
