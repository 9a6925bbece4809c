// Descriptions name every tensor with its facts, as a table and as JSON.
#include <ATen/ops/full.h>

#include <catch2/catch.hpp>
#include <limits>
#include <nlohmann/json.hpp>

#include "checkpoint/step_directory.h"
#include "core/error.h"
#include "tests/support/fixtures.h"
#include "tests/weights/sample_files.h"
#include "weights/describe.h"
#include "weights/write.h"

using namespace vllama;
using namespace vllama::weights;
using namespace vllama::test;
using Catch::Contains;
using nlohmann::json;

TEST_CASE("a .pth file is described with its tensors, scalars and totals") {
  const auto path = golden_file("checkpoint/samples.pth");
  const std::string text = describe(path, DescriptionFormat::text);
  CHECK_THAT(text, Contains("model.transposed") && Contains("bfloat16") && Contains("[6, 4]") &&
                       Contains("epoch = 3") && Contains("betas = [0.9,0.999]") &&
                       Contains("18 tensors"));
  const json object = json::parse(describe(path, DescriptionFormat::json));
  CHECK(object["format"] == "pytorch");
  CHECK(object["totals"]["tensors"] == 18);
  CHECK(object["values"]["5"] == "five");
}

TEST_CASE("folders and steps are described") {
  const TemporaryFolder folder;
  const NamedTensors tensors = {{"w", at::full({3, 3}, 2.0, at::kFloat)},
                                {"x", at::full({1}, std::numeric_limits<double>::infinity())}};
  write_hf_folder(folder.path() / "hf", R"({"hidden_size": 64})", tensors);
  const json hf = json::parse(describe(folder.path() / "hf", DescriptionFormat::json));
  CHECK(hf["format"] == "huggingface");
  CHECK(hf["tensors"][0]["norm"] == 6.0);
  CHECK(hf["tensors"][1]["norm"].is_null());
  CHECK(hf["values"]["config.json"]["hidden_size"] == 64);
  const checkpoint::StepDirectory step = checkpoint::save_step(
      folder.path(), 3, {{{"trainable", tensors}}, {{"state.json", R"({"step": 3})"}}});
  CHECK_THAT(describe(step.path, DescriptionFormat::text),
             Contains("trainable: w") && Contains("state.json.step = 3"));
}

TEST_CASE("names from a file cannot steer the terminal") {
  const TemporaryFolder folder;
  std::string pickle = "}";
  pickle += pickled_text("\x1b[2J");
  write_container(folder.path() / "a.pth", pickle + "Ns.");
  const std::string text = describe(folder.path() / "a.pth", DescriptionFormat::text);
  CHECK(text.find('\x1b') == std::string::npos);
  CHECK_THAT(text, Contains("\\x1b[2J = null"));
}

TEST_CASE("JSON of a folder that is nested too deep is shown as text") {
  const TemporaryFolder folder;
  const std::string deep = std::string(200'000, '[') + std::string(200'000, ']');
  write_hf_folder(folder.path() / "hf", "{\"a\": " + deep + "}", {{"w", at::full({1}, 2.0)}});
  const json hf = json::parse(describe(folder.path() / "hf", DescriptionFormat::json));
  CHECK(hf["values"]["config.json"].is_string());
}

TEST_CASE("what is no weight file is an error") {
  const TemporaryFolder folder;
  CHECK_THROWS_AS(describe(folder.path() / "none", DescriptionFormat::text), UserError);
  CHECK_THROWS_AS(describe(folder.path(), DescriptionFormat::text), UserError);
  CHECK_THROWS_WITH(describe("tests/golden/checkpoint/ORIGIN", DescriptionFormat::text),
                    Contains("not known"));
}
