#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/tensor.h>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/files.h"
#include "eval/generate/generator.h"
#include "models/load_video_llama.h"
#include "tests/eval/generate/tiny_language_model.h"
#include "tests/models/sizes.h"
#include "tests/support/fixtures.h"
#include "tests/support/golden_tensors.h"
#include "tests/support/tensors.h"

using namespace vllama;
using Ids = std::vector<std::int64_t>;
using test::llama_tokenizer;
using test::TinyLanguageModel;

namespace {

const eval::StopRules kNoStops;

models::LlamaConfig sizes_named(const std::string& name) {
  return name == "plain" ? test::plain_language_sizes() : test::grouped_language_sizes();
}

// Every token from the whole sequence, computed anew.
Ids greedy_without_cache(const models::Llama& model, at::Tensor inputs_TH, std::int64_t count) {
  Ids ids;
  while (std::ssize(ids) < count) {
    const at::Tensor hidden_TH = model.hidden(inputs_TH, nn::Segments({inputs_TH.size(0)}));
    const at::Tensor last_1H = hidden_TH.narrow(0, inputs_TH.size(0) - 1, 1);
    ids.push_back(model.logits(model.final_norm(last_1H)).argmax().item<std::int64_t>());
    inputs_TH = at::cat({inputs_TH, model.embed(at::tensor({ids.back()}, at::kLong))});
  }
  return ids;
}

std::vector<eval::Prompt> prompts_of_lengths(const TinyLanguageModel& language,
                                             const Ids& lengths) {
  std::vector<eval::Prompt> prompts;
  for (const std::int64_t length : lengths)
    prompts.push_back(language.prompt(length, static_cast<std::uint64_t>(7 * length)));
  return prompts;
}

}  // namespace

TEST_CASE("recorded greedy answers to chat prompts about a clip come out of one batch") {
  VLLAMA_SHARED_FILE(goldens, "goldens");
  const auto model = models::load_video_llama(test::golden_model(goldens / "ckpt"), at::kCPU, 1);
  const at::Tensor clip = test::GoldenTensors(goldens / "text/chat_input.safetensors")["video_56"];
  const at::Tensor media_MH = model->vision()->embed_clips(
      model->vision()->encode_frames(clip.transpose(1, 2).flatten(0, 1)), {clip.size(2)});
  const auto chats = nlohmann::json::parse(read_file(goldens / "text/chat_prompts.json"));
  std::vector<eval::Prompt> prompts;
  for (const auto& chat : chats)
    prompts.push_back(eval::make_prompt(model->language_model(),
                                        chat["segment_ids"].get<std::vector<Ids>>(), {{media_MH}}));
  const eval::Generator generator(model->language_model(), llama_tokenizer(), kNoStops,
                                  {.max_new_tokens = 12});
  const auto answers = generator(prompts);
  REQUIRE(answers.size() == chats.size());
  for (std::size_t i = 0; i < answers.size(); ++i) {
    // The first recorded id is a BOS that the original's generation puts in front.
    const Ids recorded = chats[i]["greedy_ids"];
    CHECK(answers[i].ids == Ids(recorded.begin() + 1, recorded.end()));
    CHECK(answers[i].num_prompt_tokens == chats[i]["context_length"]);
    CHECK(answers[i].end == eval::AnswerEnd::length);
  }
}

TEST_CASE("the cached path gives the tokens of the uncached one, for prompts of any lengths") {
  const std::string sizes = GENERATE("plain", "grouped");
  CAPTURE(sizes);
  const TinyLanguageModel language(sizes_named(sizes));
  const auto prompts = prompts_of_lengths(language, {1, 40, 7, 90});
  const auto answers =
      eval::Generator(language.model, llama_tokenizer(), kNoStops, {.max_new_tokens = 30})(prompts);
  for (std::size_t i = 0; i < prompts.size(); ++i)
    CHECK(answers[i].ids == greedy_without_cache(language.model, prompts[i].inputs_TH, 30));
}
