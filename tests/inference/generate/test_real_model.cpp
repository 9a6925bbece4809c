// A real pretrained language model, SmolLM2-135M-Instruct, against what transformers computes with
// it.
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/tensor.h>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "core/files.h"
#include "inference/generate/generator.h"
#include "models/load_video_llama.h"
#include "tests/support/chat_messages.h"
#include "tests/support/fixtures.h"
#include "tests/support/golden_tensors.h"
#include "text/chat.h"
#include "text/folder_template.h"
#include "text/tokenizers/open_tokenizer.h"

using namespace vllama;
using Json = nlohmann::json;
using Ids = std::vector<std::int64_t>;

namespace {

constexpr double kLogitTolerance = 1e-3;
constexpr double kRealLossTolerance = 1e-4;
constexpr std::int64_t kRowStep = 8, kNumColumns = 2048;  // that were recorded

std::unique_ptr<models::VideoLlama> opened(const std::filesystem::path& folder) {
  models::ModelConfig config;
  config.branches = models::BranchSet::none;
  config.precision = models::Precision::fp32;
  config.weights.language_model = folder;
  return models::load_video_llama(config, at::kCPU, 1);
}

at::Tensor logits_of(const language::Llama& model, const Ids& ids) {
  const at::Tensor inputs_TH = model.embed(at::tensor(ids, at::kLong));
  const at::Tensor hidden_TH = model.hidden(inputs_TH, nn::Segments({std::ssize(ids)}));
  return model.logits(model.final_norm(hidden_TH));
}

double largest_difference(const at::Tensor& found, const at::Tensor& expected) {
  REQUIRE(found.sizes() == expected.sizes());
  return (found - expected).abs().max().item<double>();
}

}  // namespace

TEST_CASE("SmolLM2: logits and loss of a conversation") {
  VLLAMA_SHARED_FILE(recorded, "real_models/goldens");
  VLLAMA_REAL_MODEL(folder, "smollm2-135m-instruct");
  const Json golden = Json::parse(read_file(recorded / "smollm2.json"));
  const test::GoldenTensors tensors(recorded / "smollm2.safetensors");
  const at::AutoGradMode no_graph(false);
  const auto model = opened(folder);
  const Ids ids = golden["sequence"]["ids"];
  const at::Tensor logits_TV = logits_of(model->language_model(), ids);
  CHECK(largest_difference(logits_TV[-1], tensors["last_logits"]) < kLogitTolerance);
  CHECK(largest_difference(logits_TV.slice(0, 0, std::nullopt, kRowStep).narrow(1, 0, kNumColumns),
                           tensors["logits_every_8th_row_first_2048"]) < kLogitTolerance);
  const std::int64_t num_targets = std::ssize(ids) - 1;
  const at::Tensor loss = at::cross_entropy_loss(
      logits_TV.narrow(0, 0, num_targets), at::tensor(ids, at::kLong).narrow(0, 1, num_targets));
  CHECK(std::abs(loss.item<double>() - golden["sequence"]["mean_loss"].get<double>()) <
        kRealLossTolerance);
}

TEST_CASE("SmolLM2: ids of awkward texts, prompts of its own template, greedy answers") {
  VLLAMA_SHARED_FILE(recorded, "real_models/goldens");
  VLLAMA_REAL_MODEL(folder, "smollm2-135m-instruct");
  const Json golden = Json::parse(read_file(recorded / "smollm2.json"));
  const auto tokenizer = text::open_tokenizer(folder);
  for (const Json& text : golden["texts"]) {
    INFO(text["text"]);
    CHECK(tokenizer->encode(text["text"].get<std::string>()) == text["ids"].get<Ids>());
  }
  REQUIRE(text::family_of_folder(folder) == "smollm2");
  const text::PromptLayout& layout = text::prompt_template("smollm2").training;
  const at::AutoGradMode no_graph(false);
  const auto model = opened(folder);
  const inference::StopRules rules = inference::stop_rules(*tokenizer, layout);
  const inference::Generator generate(model->language_model(), *tokenizer, rules,
                                      {.max_new_tokens = 32});
  for (const Json& chat : golden["chats"]) {
    const auto prompt =
        text::build_chat_prompt(*tokenizer, layout, test::chat_of(chat["messages"]));
    CHECK(prompt.text == chat["prompt"].get<std::string>());
    REQUIRE(prompt.pieces.size() == 1);
    CHECK(prompt.pieces[0] == chat["prompt_ids"].get<Ids>());
    const std::vector<inference::Prompt> prompts{
        inference::make_prompt(model->language_model(), prompt.pieces, {})};
    Ids expected = chat["greedy_ids"];
    if (expected.back() == tokenizer->ends()[0]) expected.pop_back();
    CHECK(generate(prompts)[0].ids == expected);
  }
}
