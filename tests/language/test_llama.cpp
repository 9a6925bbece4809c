#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/linear.h>

#include <catch2/catch.hpp>
#include <filesystem>

#include "core/error.h"
#include "core/files.h"
#include "nn/token_loss.h"
#include "tests/models/padded_batch.h"
#include "tests/models/sizes.h"
#include "tests/support/fixtures.h"
#include "tests/support/golden_tensors.h"
#include "tests/support/tensors.h"

using namespace vllama;
using Catch::Contains;
using test::kOutputTolerance;
using test::packed;

namespace {

struct TinyLlama {
  explicit TinyLlama(const language::LlamaConfig& config) : model(config) {
    model.declare(list);
    model.prepare(at::kFloat, at::kCPU);
  }
  language::Llama model;
  nn::ParameterList list;
};

}  // namespace

TEST_CASE("LLaMA: hidden states, logits, loss and all gradients, packed") {
  const test::GoldenTensors golden(test::golden_file("components/llama.safetensors"));
  TinyLlama llama(test::tiny_llama(211));
  golden.fill(llama.list, "state.");
  const at::Tensor mask = golden["attention_mask"];
  const nn::Segments sequences = test::sequences_of(mask);
  const at::Tensor padded = golden["inputs_embeds"].requires_grad_(true);
  const at::Tensor inputs = packed(padded, mask);

  const auto angles = llama.model.angles(sequences, at::kCPU);
  const at::Tensor after_first = llama.model.layers()[0](inputs, angles, sequences);
  CHECK(test::relative_difference(after_first.detach(), packed(golden["hidden_state.1"], mask)) <
        kOutputTolerance);
  const bool recompute = GENERATE(false, true);
  const at::Tensor normed =
      llama.model.final_norm(llama.model.hidden(inputs, sequences, recompute));
  CHECK(test::relative_difference(normed.detach(), packed(golden["hidden_state.2"], mask)) <
        kOutputTolerance);
  CHECK(test::relative_difference(at::linear(normed, llama.model.head()).detach(),
                                  packed(golden["logits"], mask)) < kOutputTolerance);

  const auto [rows, targets] = test::targets_of(packed(golden["labels"], mask), sequences);
  const double scale = 1.0 / static_cast<double>(targets.numel());
  const at::Tensor sum = nn::token_loss(normed.index_select(0, rows), llama.model.head(), targets,
                                        /*rows_per_slice=*/4, nn::Gradients::accumulate, scale);
  CHECK(std::abs(sum.item<double>() * scale - golden["loss"].item<double>()) <
        test::kLossTolerance);
  CHECK(golden.check_gradients(llama.list, "grad.") == 20);
  CHECK(test::relative_difference(packed(padded.grad(), mask),
                                  packed(golden["grad_inputs_embeds"], mask)) <
        test::kGradientTolerance);
}

TEST_CASE("LLaMA: trained alone, recomputed layers give the same gradients bit for bit") {
  const auto config = test::tiny_llama(50);
  const at::Tensor ids = at::arange(12, at::kLong);
  const nn::Segments sequences({5, 4, 3});
  // With frozen embeddings nothing that reaches the first layer needs a gradient.
  const bool embeddings_train = GENERATE(false, true);
  const auto gradients = [&](bool recompute) {
    TinyLlama llama(config);
    nn::initialize(llama.list, 3);
    for (const nn::Parameter& parameter : llama.list) parameter.tensor->requires_grad_(true);
    llama.list.front().tensor->requires_grad_(embeddings_train);
    const at::Tensor hidden = llama.model.hidden(llama.model.embed(ids), sequences, recompute);
    nn::token_loss(llama.model.final_norm(hidden), llama.model.head(), ids, 5,
                   nn::Gradients::accumulate);
    std::vector<at::Tensor> all;
    for (const nn::Parameter& parameter : llama.list)
      if (parameter.tensor->requires_grad()) all.push_back(parameter.tensor->grad());
    return all;
  };
  const auto stored = gradients(false), recomputed = gradients(true);
  REQUIRE(stored.size() == recomputed.size());
  for (std::size_t i = 0; i < stored.size(); ++i) {
    REQUIRE(recomputed[i].defined());
    CHECK(test::same_bits(stored[i], recomputed[i]));
  }
}

TEST_CASE("LLaMA: a packed batch gives what its sequences give one by one") {
  TinyLlama llama(test::tiny_llama(50));
  nn::initialize(llama.list, 3);
  const at::Tensor inputs = test::random_tensor({12, 64}, 9);
  const nn::Segments sequences({5, 4, 3});
  const at::Tensor together = llama.model.hidden(inputs, sequences);
  for (std::int64_t i = 0; i < 3; ++i) {
    const at::Tensor rows = inputs.narrow(0, sequences.start(i), sequences.length(i));
    CHECK(test::relative_difference(together.narrow(0, sequences.start(i), sequences.length(i)),
                                    llama.model.hidden(rows, nn::Segments({sequences.length(i)}))) <
          1e-5);
  }
}

TEST_CASE("LLaMA: a sequence longer than the positions is refused") {
  auto config = test::tiny_llama(50);
  config.max_positions = 4;
  TinyLlama llama(config);
  nn::initialize(llama.list, 3);
  CHECK_THROWS_WITH(llama.model.hidden(test::random_tensor({5, 64}, 1), nn::Segments({5})),
                    Contains("5 tokens") && Contains("4 positions"));
}

TEST_CASE("config.json: what was written reads back, and mistakes name the key") {
  const test::TemporaryFolder folder;
  const auto path = folder.path() / "config.json";
  auto config = test::tiny_llama(77);
  config.num_key_value_heads = 2;
  write_file_atomically(path, language::to_config_json(config));
  const auto read = language::read_llama_config(path);
  CHECK(read.vocabulary_size == 77);
  CHECK(read.num_key_value_heads == 2);
  CHECK(read.head_width == 16);
  const auto refused = [&](const std::string& text, const std::string& key) {
    write_file_atomically(path, text);
    CHECK_THROWS_WITH(language::read_llama_config(path), Contains("config.json") && Contains(key));
  };
  refused("{", "not a JSON object");
  refused("[]", "not a JSON object");
  refused("{\"rope_scaling\": " + std::string(200'000, '[') + std::string(200'000, ']') + "}",
          "nested more than 64 deep");
  refused("{}", "'vocab_size' is missing");
  refused(R"({"vocab_size": -1})", "'vocab_size' must be a positive whole number");
  refused(R"({"vocab_size": 1e30})", "'vocab_size'");
  refused(R"({"hidden_act": "gelu"})", "hidden_act");
  const std::string sizes =
      R"("vocab_size": 9, "hidden_size": 8, "intermediate_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2)";
  refused("{" + sizes + R"(, "num_key_value_heads": 3})", "num_key_value_heads");
  refused("{" + sizes + R"(, "rope_scaling": {"type": "yarn", "factor": 2}})", "rope_scaling");
  refused("{" + sizes + R"(, "rope_scaling": 3})", "rope_scaling");
}
