// What the model says next to a chat prompt about a clip: the best five tokens, and twelve taken
// greedily.
#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/tensor.h>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "core/files.h"
#include "models/load_video_llama.h"
#include "tests/models/sizes.h"
#include "tests/support/fixtures.h"
#include "tests/support/golden_tensors.h"
#include "tests/support/tensors.h"

using namespace vllama;

namespace {

at::Tensor embedded(const language::Llama& llama, const std::vector<std::int64_t>& ids) {
  return llama.embed(at::tensor(ids, at::kLong));
}

at::Tensor next_token_logits(const language::Llama& llama, const at::Tensor& inputs_TH) {
  const at::Tensor hidden_TH = llama.hidden(inputs_TH, nn::Segments({inputs_TH.size(0)}));
  return at::linear(llama.final_norm(hidden_TH.narrow(0, inputs_TH.size(0) - 1, 1)), llama.head())
      .flatten();
}

}  // namespace

TEST_CASE("whole model: next tokens after chat prompts") {
  VLLAMA_SHARED_FILE(goldens, "goldens");
  const auto model = models::load_video_llama(test::golden_model(goldens / "ckpt"), at::kCPU, 1);
  const language::Llama& llama = model->language_model();
  const at::Tensor clip = test::GoldenTensors(goldens / "text/chat_input.safetensors")["video_56"];
  const at::Tensor media_MH = model->branches().front().embed(
      model->branches().front().encode_prepared(0, clip.transpose(1, 2).flatten(0, 1)),
      {clip.size(2)});

  for (const auto& chat : nlohmann::json::parse(read_file(goldens / "text/chat_prompts.json"))) {
    INFO(chat["prompt"]);
    const auto& pieces = chat["segment_ids"];
    at::Tensor inputs_TH =
        at::cat({embedded(llama, pieces[0]), media_MH, embedded(llama, pieces[1])});
    REQUIRE(inputs_TH.size(0) == chat["context_length"].get<std::int64_t>());
    const at::Tensor logits_V = next_token_logits(llama, inputs_TH);
    const auto [best, ids] = logits_V.topk(5);
    for (std::int64_t i = 0; i < 5; ++i) {
      const auto& expected = chat["next_token_top5"][static_cast<std::size_t>(i)];
      CHECK(ids[i].item<std::int64_t>() == expected[0].get<std::int64_t>());
      CHECK(std::abs(best[i].item<double>() - expected[1].get<double>()) <
            test::kOutputTolerance * expected[1].get<double>());
    }
    // The first recorded id is a BOS that the original's generation puts in front.
    for (std::size_t i = 1; i < chat["greedy_ids"].size(); ++i) {
      const auto token = next_token_logits(llama, inputs_TH).argmax().item<std::int64_t>();
      CHECK(token == chat["greedy_ids"][i].get<std::int64_t>());
      inputs_TH = at::cat({inputs_TH, embedded(llama, {token})});
    }
  }
}
