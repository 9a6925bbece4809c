// Low-rank adapters in the LLaMA decoder, against peft (tools/reference/lora.py).
#include <ATen/TensorOperators.h>
#include <ATen/ops/linear.h>

#include <catch2/catch.hpp>

#include "config/fields.h"
#include "core/error.h"
#include "language/llama.h"
#include "nn/token_loss.h"
#include "tests/models/padded_batch.h"
#include "tests/support/fixtures.h"
#include "tests/support/golden_tensors.h"
#include "tests/support/tensors.h"

using namespace vllama;
using test::packed;

namespace {

// Limits between a model with adapters and the same model merged: the sums are the same but for
// their order.
constexpr double kMergedTolerance = 1e-5;

const language::LlamaConfig kAdaptedSizes{.vocabulary_size = 41,
                                          .width = 24,
                                          .mlp_width = 40,
                                          .num_layers = 2,
                                          .num_heads = 4,
                                          .num_key_value_heads = 2,
                                          .head_width = 6,
                                          .max_positions = 64};
const language::LoraConfig kAdapters{.rank = 4, .alpha = 6};

// Of the model that was recorded with adapters: LLaMA, or a relative.
language::LlamaConfig adapted_sizes(const std::string& name) {
  language::LlamaConfig sizes = kAdaptedSizes;
  if (name == "lora_qwen2") {
    sizes.type = &language::kLanguageModelTypes[2];
    sizes.query_key_value_biases = true;
  }
  if (name == "lora_qwen3") {
    sizes.type = &language::kLanguageModelTypes[3];
    sizes.head_width = 8;
  }
  return sizes;
}

// The recorded model: base weights frozen, adapters trained.
struct RecordedLora {
  explicit RecordedLora(const std::string& name = "lora")
      : golden(test::golden_file("reference/" + name + ".safetensors")),
        model(adapted_sizes(name), kAdapters) {
    model.declare(weights);
    golden.fill(weights, "state.");
    for (const nn::Parameter& parameter : weights) parameter.tensor->requires_grad_(false);
    model.declare_lora(adapters);
    golden.fill(adapters, "lora.");
    model.prepare(at::kFloat, at::kCPU);
  }

  void convert_weights_to(at::ScalarType dtype) {
    for (const nn::Parameter& parameter : weights) *parameter.tensor = parameter.tensor->to(dtype);
    model.prepare(dtype, at::kCPU);
  }

  at::Tensor normed(const at::Tensor& inputs_TH, bool recompute = false) const {
    return model.final_norm(model.hidden(inputs_TH, sequences, recompute));
  }

  // The mean loss; gradients are left in the leaves.
  double loss(const at::Tensor& inputs_TH, bool recompute) const {
    const auto [rows, targets] = test::targets_of(packed(golden["labels"], mask), sequences);
    const double scale = 1.0 / static_cast<double>(targets.numel());
    const at::Tensor sum =
        nn::token_loss(normed(inputs_TH, recompute).index_select(0, rows), model.head(), targets,
                       /*rows_per_slice=*/5, nn::Gradients::accumulate, scale);
    return sum.item<double>() * scale;
  }

  test::GoldenTensors golden;
  language::Llama model;
  nn::ParameterList weights, adapters;
  at::Tensor mask = golden["attention_mask"];
  nn::Segments sequences = test::sequences_of(mask);
};

}  // namespace

TEST_CASE("LoRA: logits, loss, gradients as in peft") {
  const bool recompute = GENERATE(false, true);
  RecordedLora recorded(GENERATE("lora", "lora_qwen2", "lora_qwen3"));
  const auto& golden = recorded.golden;
  const at::Tensor padded = golden["inputs_embeds"].requires_grad_(true);
  const at::Tensor inputs = packed(padded, recorded.mask);
  const at::Tensor logits = at::linear(recorded.normed(inputs), recorded.model.head());
  CHECK(test::relative_difference(logits.detach(), packed(golden["logits"], recorded.mask)) <
        test::kOutputTolerance);
  CHECK(std::abs(recorded.loss(inputs, recompute) - golden["loss"].item<double>()) <
        test::kLossTolerance);
  CHECK(golden.check_gradients(recorded.adapters, "grad.") == 28);
  CHECK(test::relative_difference(packed(padded.grad(), recorded.mask),
                                  packed(golden["grad_inputs_embeds"], recorded.mask)) <
        test::kGradientTolerance);
  for (const nn::Parameter& parameter : recorded.weights)
    CHECK_FALSE(parameter.tensor->grad().defined());
}

TEST_CASE("LoRA: adapters alone train, with recomputed layers to the same bits") {
  RecordedLora stored, recomputed;
  const at::Tensor inputs = packed(stored.golden["inputs_embeds"], stored.mask);
  CHECK(stored.loss(inputs, false) == recomputed.loss(inputs, true));
  CHECK(stored.golden.check_gradients(stored.adapters, "grad.") == 28);
  for (std::size_t i = 0; i < stored.adapters.size(); ++i) {
    INFO(stored.adapters[i].name);
    REQUIRE(recomputed.adapters[i].tensor->grad().defined());
    CHECK(
        test::same_bits(stored.adapters[i].tensor->grad(), recomputed.adapters[i].tensor->grad()));
  }
  CHECK_FALSE(inputs.grad().defined());
}

TEST_CASE("LoRA: merged matrices are peft's, and give what the adapters gave") {
  const std::string name = GENERATE("lora", "lora_qwen2", "lora_qwen3");
  RecordedLora recorded(name);
  const at::Tensor inputs = packed(recorded.golden["inputs_embeds"], recorded.mask);
  const at::Tensor before = recorded.normed(inputs).detach();
  recorded.model.merge_lora();
  int num_compared = 0;
  for (const nn::Parameter& parameter : recorded.weights) {
    const std::string merged = "merged." + parameter.name;
    if (!recorded.golden.has(merged)) continue;
    ++num_compared;
    INFO(parameter.name);
    CHECK(test::relative_difference(*parameter.tensor, recorded.golden[merged]) < kMergedTolerance);
    CHECK_FALSE(parameter.tensor->requires_grad());
  }
  CHECK(num_compared == (name == "lora_qwen2" ? 20 : 14));  // with the biases of three
  CHECK(test::relative_difference(recorded.normed(inputs), before) < kMergedTolerance);
  nn::ParameterList left;
  recorded.model.declare_lora(left);
  CHECK(left.empty());
}

TEST_CASE("LoRA: in bf16 the adapters stay fp32, and so do their gradients") {
  // Rounded are the input, three matrices, the results of the two products of the adapter, that of
  // the matrix, and the sum.
  constexpr std::int64_t kRoundings = 8;
  RecordedLora recorded;
  const at::Tensor inputs_fp32 = packed(recorded.golden["inputs_embeds"], recorded.mask);
  const nn::Linear& gate = recorded.model.layers()[0].gate;
  const at::Tensor expected = gate(inputs_fp32).detach();
  recorded.convert_weights_to(at::kBFloat16);
  const at::Tensor inputs = inputs_fp32.to(at::kBFloat16);
  const at::Tensor actual = gate(inputs).detach();
  REQUIRE(actual.scalar_type() == at::kBFloat16);
  CHECK(test::relative_rms_difference(actual, expected) < test::bf16_tolerance(kRoundings));
  recorded.loss(inputs, false);
  for (const nn::Parameter& parameter : recorded.adapters)
    CHECK(parameter.tensor->grad().scalar_type() == at::kFloat);
  recorded.model.merge_lora();
  for (const nn::Parameter& parameter : recorded.weights)
    CHECK(parameter.tensor->scalar_type() == at::kBFloat16);
}

TEST_CASE("LoRA: untrained adapters change nothing, and stand where they were asked for") {
  language::Llama plain(kAdaptedSizes),
      adapted(kAdaptedSizes, language::LoraConfig{.rank = 3, .targets = {"v_proj"}});
  nn::ParameterList plain_weights, weights, adapters;
  plain.declare(plain_weights);
  adapted.declare(weights);
  adapted.declare_lora(adapters, "llama_model.");
  for (const auto* list : {&plain_weights, &weights, &adapters}) nn::initialize(*list, 4);
  REQUIRE(adapters.size() == 4);
  CHECK(adapters[0].name == "llama_model.model.layers.0.self_attn.v_proj.lora_A.weight");
  CHECK(adapters[0].shape == std::vector<std::int64_t>{3, 24});
  CHECK(adapters[3].name == "llama_model.model.layers.1.self_attn.v_proj.lora_B.weight");
  CHECK(adapters[3].shape == std::vector<std::int64_t>{12, 3});
  const double bound = 1 / std::sqrt(24.0);
  CHECK(adapters[0].tensor->abs().max().item<double>() <= bound);
  CHECK(adapters[0].tensor->abs().max().item<double>() > 0.9 * bound);
  for (language::Llama* model : {&plain, &adapted}) model->prepare(at::kFloat, at::kCPU);
  const at::Tensor inputs = test::random_tensor({6, 24}, 9);
  CHECK(test::same_bits(plain.hidden(inputs, nn::Segments({6})),
                        adapted.hidden(inputs, nn::Segments({6}))));
}

TEST_CASE("LoRA: mistakes of the configuration are named") {
  using Catch::Contains;
  const auto read = [](const std::string& text) {
    return config::read<language::LoraConfig>(config::load_text(text, "run.yaml"));
  };
  CHECK(read("rank: 2\ntargets: [q_proj, down_proj]").targets.size() == 2);
  CHECK_THROWS_WITH(read("rank: 0"), Contains("'rank' must be at least 1"));
  CHECK_THROWS_WITH(read("targets: [q_proj, w1]"),
                    Contains("'targets.1' must be one of q_proj,") && Contains("not 'w1'"));
  CHECK_THROWS_WITH(language::Llama(kAdaptedSizes, language::LoraConfig{.targets = {}}),
                    Contains("lora.targets is empty"));
}
