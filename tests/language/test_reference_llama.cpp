#include <ATen/TensorOperators.h>
#include <ATen/ops/linear.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <map>

#include "core/files.h"
#include "core/named_rows.h"
#include "language/llama.h"
#include "nn/token_loss.h"
#include "tests/models/padded_batch.h"
#include "tests/support/fixtures.h"
#include "tests/support/golden_tensors.h"
#include "tests/support/tensors.h"

using namespace vllama;
using test::packed;

namespace {

const std::vector<std::string> kOptions{"grouped", "linear", "llama3", "biased",
                                        "qwen2",   "qwen3",  "mistral"};

std::filesystem::path recorded(const std::string& option, const std::string& extension) {
  return test::golden_file("reference/llama_" + option + extension);
}

// A recorded model, with the sizes that its config.json tells.
struct RecordedLlama {
  explicit RecordedLlama(const std::string& option)
      : golden(recorded(option, ".safetensors")),
        model(language::read_llama_config(recorded(option, ".config.json"))) {
    model.declare(parameters);
    golden.fill(parameters, "state.");
    model.prepare(at::kFloat, at::kCPU);
  }

  void convert_to(at::ScalarType dtype) {
    for (const nn::Parameter& parameter : parameters)
      *parameter.tensor = parameter.tensor->detach().to(dtype);
    model.prepare(dtype, at::kCPU);
  }

  test::GoldenTensors golden;
  language::Llama model;
  nn::ParameterList parameters;
};

}  // namespace

TEST_CASE("LLaMA family: hidden states, logits, loss and gradients as in transformers") {
  const std::string option = GENERATE(from_range(kOptions));
  CAPTURE(option);
  RecordedLlama llama(option);
  const auto& golden = llama.golden;
  const at::Tensor mask = golden["attention_mask"];
  const nn::Segments sequences = test::sequences_of(mask);
  const at::Tensor padded = golden["inputs_embeds"].requires_grad_(true);
  const at::Tensor inputs = packed(padded, mask);
  const auto expect = [&](const at::Tensor& actual, const std::string& name) {
    INFO(name);
    CHECK(test::relative_difference(actual.detach(), packed(golden[name], mask)) <
          test::kOutputTolerance);
  };

  const auto angles = llama.model.angles(sequences, at::kCPU);
  expect(llama.model.layers()[0](inputs, angles, sequences), "after_layer.0");
  const at::Tensor hidden = llama.model.hidden(inputs, sequences);
  expect(hidden, "after_layer.1");
  const at::Tensor normed = llama.model.final_norm(hidden);
  expect(normed, "normed");
  expect(at::linear(normed, llama.model.head()), "logits");

  const auto [rows, targets] = test::targets_of(packed(golden["labels"], mask), sequences);
  const double scale = 1.0 / static_cast<double>(targets.numel());
  const at::Tensor sum = nn::token_loss(normed.index_select(0, rows), llama.model.head(), targets,
                                        /*rows_per_slice=*/8, nn::Gradients::accumulate, scale);
  CHECK(std::abs(sum.item<double>() * scale - golden["loss"].item<double>()) <
        test::kLossTolerance);
  const int num_compared = golden.check_gradients(llama.parameters, "grad.");
  // A layer, the final norm and the output matrix.
  CHECK(num_compared == std::map<std::string, int>{{"biased", 15}, {"qwen2", 14}, {"qwen3", 13}}
                            .try_emplace(option, 11)
                            .first->second);
  CHECK(test::relative_difference(packed(padded.grad(), mask),
                                  packed(golden["grad_inputs_embeds"], mask)) <
        test::kGradientTolerance);
}

TEST_CASE("LLaMA family: bf16 stays as close to fp32 as its rounding allows") {
  // A layer rounds 9 weights, the 2 tables of angles, and 16 activations: two norms, q, k, v, two
  // rotations, context, output, gate, up, its activation, their product, down and two sums. Then
  // come the final norm with its weight, the output matrix and the logits. Norms of heads, of
  // queries and of keys, round a weight and an activation each.
  constexpr std::int64_t kRoundingsPerLayer = 9 + 2 + 16, kRoundingsAfter = 4, kHeadNorms = 4;
  const std::string option = GENERATE(from_range(kOptions));
  CAPTURE(option);
  RecordedLlama llama(option);
  llama.convert_to(at::kBFloat16);
  const at::Tensor mask = llama.golden["attention_mask"];
  const at::Tensor inputs = packed(llama.golden["inputs_embeds"], mask).to(at::kBFloat16);
  const at::Tensor normed =
      llama.model.final_norm(llama.model.hidden(inputs, test::sequences_of(mask)));
  const at::Tensor logits = at::linear(normed, llama.model.head());
  REQUIRE(logits.scalar_type() == at::kBFloat16);
  const double difference =
      test::relative_rms_difference(logits, packed(llama.golden["logits"], mask));
  CHECK(difference <
        test::bf16_tolerance(2 * (kRoundingsPerLayer + (option == "qwen3" ? kHeadNorms : 0)) +
                             kRoundingsAfter));
  CHECK(difference > 0x1p-10);  // it did compute in bf16
}

TEST_CASE("config.json of transformers survives reading and writing, with every option") {
  const std::string option = GENERATE(from_range(kOptions));
  CAPTURE(option);
  const auto config = language::read_llama_config(recorded(option, ".config.json"));
  const test::TemporaryFolder folder;
  write_file_atomically(folder.path() / "config.json", language::to_config_json(config));
  const bool as_written = language::read_llama_config(folder.path() / "config.json") == config;
  CHECK(as_written);
}

TEST_CASE("config.json: biases of qwen2 survive, biases in the feed-forward part are refused") {
  const test::TemporaryFolder folder;
  const auto path = folder.path() / "config.json";
  auto config = language::read_llama_config(recorded("grouped", ".config.json"));
  config.type = row_named(language::kLanguageModelTypes, "qwen2");
  config.query_key_value_biases = true;
  std::string text = language::to_config_json(config);
  write_file_atomically(path, text);
  const bool as_written = language::read_llama_config(path) == config;
  CHECK(as_written);
  text.insert(text.find('{') + 1, R"("mlp_bias": true,)");
  write_file_atomically(path, text);
  CHECK_THROWS_WITH(language::read_llama_config(path), Catch::Contains("mlp_bias"));
}
