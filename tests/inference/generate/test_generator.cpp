#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/tensor.h>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/files.h"
#include "inference/generate/generator.h"
#include "models/load_video_llama.h"
#include "tests/inference/generate/tiny_language_model.h"
#include "tests/models/sizes.h"
#include "tests/support/fixtures.h"
#include "tests/support/golden_tensors.h"
#include "tests/support/tensors.h"

using namespace vllama;
using Ids = std::vector<std::int64_t>;
using test::llama_tokenizer;
using test::TinyLanguageModel;

namespace {

const inference::StopRules kNoStops;

language::LlamaConfig sizes_named(const std::string& name) {
  if (name == "normed") return test::normed_language_sizes();
  return name == "plain" ? test::plain_language_sizes() : test::grouped_language_sizes();
}

// Every token from the whole sequence, computed anew.
Ids greedy_without_cache(const language::Llama& model, at::Tensor inputs_TH, std::int64_t count) {
  Ids ids;
  while (std::ssize(ids) < count) {
    const at::Tensor hidden_TH = model.hidden(inputs_TH, nn::Segments({inputs_TH.size(0)}));
    const at::Tensor last_1H = hidden_TH.narrow(0, inputs_TH.size(0) - 1, 1);
    ids.push_back(model.logits(model.final_norm(last_1H)).argmax().item<std::int64_t>());
    inputs_TH = at::cat({inputs_TH, model.embed(at::tensor({ids.back()}, at::kLong))});
  }
  return ids;
}

std::vector<inference::Prompt> prompts_of_lengths(const TinyLanguageModel& language,
                                                  const Ids& lengths) {
  std::vector<inference::Prompt> prompts;
  for (const std::int64_t length : lengths)
    prompts.push_back(language.prompt(length, static_cast<std::uint64_t>(7 * length)));
  return prompts;
}

}  // namespace

TEST_CASE("recorded greedy answers to chat prompts about a clip come out of one batch") {
  VLLAMA_SHARED_FILE(goldens, "goldens");
  const auto model = models::load_video_llama(test::golden_model(goldens / "ckpt"), at::kCPU, 1);
  const at::Tensor clip = test::GoldenTensors(goldens / "text/chat_input.safetensors")["video_56"];
  const at::Tensor media_MH = model->branches().front().embed(
      model->branches().front().encode_prepared(0, clip.transpose(1, 2).flatten(0, 1)),
      {clip.size(2)});
  const auto chats = nlohmann::json::parse(read_file(goldens / "text/chat_prompts.json"));
  std::vector<inference::Prompt> prompts;
  for (const auto& chat : chats)
    prompts.push_back(inference::make_prompt(
        model->language_model(), chat["segment_ids"].get<std::vector<Ids>>(), {{media_MH}}));
  const inference::Generator generator(model->language_model(), llama_tokenizer(), kNoStops,
                                       {.max_new_tokens = 12});
  const auto answers = generator(prompts);
  REQUIRE(answers.size() == chats.size());
  for (std::size_t i = 0; i < answers.size(); ++i) {
    // The first recorded id is a BOS that the original's generation puts in front.
    const Ids recorded = chats[i]["greedy_ids"];
    CHECK(answers[i].ids == Ids(recorded.begin() + 1, recorded.end()));
    CHECK(answers[i].num_prompt_tokens == chats[i]["context_length"]);
    CHECK(answers[i].end == inference::AnswerEnd::length);
  }
}

TEST_CASE("the cached path gives the tokens of the uncached one, for prompts of any lengths") {
  const std::string sizes = GENERATE("plain", "grouped", "normed");
  CAPTURE(sizes);
  const TinyLanguageModel language(sizes_named(sizes));
  const auto prompts = prompts_of_lengths(language, {1, 40, 7, 90});
  const auto answers = inference::Generator(language.model, llama_tokenizer(), kNoStops,
                                            {.max_new_tokens = 30})(prompts);
  for (std::size_t i = 0; i < prompts.size(); ++i)
    CHECK(answers[i].ids == greedy_without_cache(language.model, prompts[i].inputs_TH, 30));
}

TEST_CASE("the listener gets the answer's text as it is made, and may end it") {
  const TinyLanguageModel language;
  const auto prompts = prompts_of_lengths(language, {9, 5});
  const inference::Generator generator(language.model, llama_tokenizer(), kNoStops,
                                       {.max_new_tokens = 20});
  std::vector<std::string> texts(2);
  std::vector<int> calls(2);
  const auto answers = generator(prompts, [&](std::size_t prompt, std::string_view text) {
    texts[prompt] += text;
    return ++calls[prompt] < 4 || prompt == 1;
  });
  CHECK(answers[0].end == inference::AnswerEnd::cancelled);
  CHECK(answers[0].num_new_tokens == 4);
  CHECK(answers[1].end == inference::AnswerEnd::length);
  CHECK(calls == std::vector<int>{4, 20});
  CHECK(texts[1] == answers[1].text);
  CHECK(answers[0].text.starts_with(texts[0]));
}

TEST_CASE("sequences that are finished leave the batch, the others go on as alone") {
  const TinyLanguageModel language;
  const auto prompts = prompts_of_lengths(language, {9, 5, 30});
  const auto free = inference::Generator(language.model, llama_tokenizer(), kNoStops,
                                         {.max_new_tokens = 24})(prompts);
  const inference::StopRules rules{
      .sequences = {{free[0].ids[3]}, {free[1].ids[9], free[1].ids[10]}}, .texts = {}};
  const inference::Generator generator(language.model, llama_tokenizer(), rules,
                                       {.max_new_tokens = 24});
  const auto together = generator(prompts);
  CHECK(together[0].ids.size() <= 3);
  CHECK(together[1].ids.size() <= 9);
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    const auto alone = generator(std::span(prompts).subspan(i, 1))[0];
    CHECK(alone.ids == together[i].ids);
    CHECK(alone.end == together[i].end);
  }
}

TEST_CASE("drawn answers are the same alone, in any batch and in any order") {
  const at::ScalarType dtype = GENERATE(at::kFloat, at::kBFloat16);
  const TinyLanguageModel language(test::grouped_language_sizes(), dtype);
  auto prompts = prompts_of_lengths(language, {3, 60, 17, 17});
  prompts[3].id = 4;  // the same question as [2] under another name
  const inference::Generator generator(
      language.model, llama_tokenizer(), kNoStops,
      {.max_new_tokens = 40, .do_sample = true, .top_k = 0, .top_p = 1, .seed = 5});
  const auto together = generator(prompts);
  for (std::size_t i = 0; i < prompts.size(); ++i)
    CHECK(generator(std::span(prompts).subspan(i, 1))[0].ids == together[i].ids);
  std::ranges::reverse(prompts);
  CHECK(generator(prompts)[0].ids == together[3].ids);
  CHECK(together[2].ids != together[3].ids);
}

TEST_CASE("a conversation goes on from what the model has read") {
  const TinyLanguageModel language;
  const inference::Generator generator(language.model, llama_tokenizer(), kNoStops,
                                       {.max_new_tokens = 12});
  inference::KeptTokens kept;
  const auto first = language.prompt(30, 1);
  CHECK(generator.answer(first, kept).ids == generator({{first}})[0].ids);
  const auto again = generator.answer(first, kept);
  CHECK(again.ids == generator({{first}})[0].ids);
  CHECK(again.num_cached_tokens == 29);

  Ids longer = first.ids;
  longer.insert(longer.end(), again.ids.begin(), again.ids.end());
  longer.insert(longer.end(), {11, 12, 13});
  const auto second = inference::make_prompt(language.model, {{longer}}, {});
  const auto answer = generator.answer(second, kept);
  CHECK(answer.ids == generator({{second}})[0].ids);
  CHECK(answer.num_cached_tokens == 41);  // the last token of an answer was never an input

  const auto other = language.prompt(8, 2);
  CHECK(generator.answer(other, kept).num_cached_tokens == 1);
}

TEST_CASE("prompts that leave no room for the answer, and contradictions, are refused") {
  const TinyLanguageModel language;
  const auto generator = [&](const inference::GenerationConfig& config) {
    return inference::Generator(language.model, llama_tokenizer(), kNoStops, config);
  };
  CHECK(generator({.max_new_tokens = 300}).max_prompt_tokens() == 212);  // 512 positions
  CHECK(generator({.max_new_tokens = 30, .max_context_tokens = 100}).max_prompt_tokens() == 70);
  CHECK_NOTHROW(generator({.max_new_tokens = 12})({{language.prompt(500, 1)}}));
  CHECK_THROWS_AS(generator({.max_new_tokens = 13})({{language.prompt(500, 1)}}), UserError);
  CHECK_THROWS_AS(generator({.num_beams = 2, .do_sample = true}), UserError);
  CHECK(generator({})({}).empty());
  CHECK_THROWS_AS(inference::make_prompt(language.model, {{Ids{1, 32000}}}, {}), UserError);
}

TEST_CASE("weights that overflow stop the run") {
  TinyLanguageModel language;
  language.parameters.back().tensor->fill_(std::numeric_limits<float>::quiet_NaN());
  const inference::Generator generator(language.model, llama_tokenizer(), kNoStops, {});
  CHECK_THROWS_AS(generator({{language.prompt(5, 1)}}), RunFailure);
}
