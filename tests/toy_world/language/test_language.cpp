// The toy language model: its texts, how it starts, and that a tiny one trains, loads and is
// examined.
#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/tensor.h>

#include <catch2/catch.hpp>
#include <cmath>
#include <filesystem>

#include "core/error.h"
#include "core/files.h"
#include "core/log.h"
#include "nn/rotary.h"
#include "tests/support/fixtures.h"
#include "text/tokenizers/sentencepiece_tokenizer.h"
#include "text/tokenizers/train_tokenizer.h"
#include "toy_world/language/language.h"
#include "toy_world/language/language_gate.h"
#include "toy_world/language/language_start.h"
#include "toy_world/language/language_text.h"

using namespace vllama;
namespace fs = std::filesystem;

namespace {

constexpr std::int64_t kMostPieces = 640;

text::SentencePieceTokenizer tokenizer_of_the_world(const fs::path& folder) {
  text::train_tokenizer(toy::sample_texts(1, 300), kMostPieces, folder / "tokenizer.model");
  return text::SentencePieceTokenizer(folder / "tokenizer.model");
}

const std::vector<std::string_view> kDrilled{"colour", "kind", "present", "bound"};

}  // namespace

TEST_CASE("language: every word of the world is one piece, the same on every call") {
  const test::TemporaryFolder folder, again;
  const auto tokenizer = tokenizer_of_the_world(folder.path());
  for (const auto& words : {toy::options("colour"), toy::options("kind"), toy::options("size"),
                            toy::options("count"), toy::options("direction"), toy::options("speed"),
                            toy::options("field"), toy::options("present"), toy::options("sound")})
    for (const std::string_view word : words) {
      INFO(word);
      CHECK(tokenizer.encode(word).size() == 1);
    }
  CHECK(tokenizer_of_the_world(again.path()).file_hash() == tokenizer.file_hash());
}

TEST_CASE("language: documents are learned at their answers, most at the words that decide") {
  const test::TemporaryFolder folder;
  const auto tokenizer = tokenizer_of_the_world(folder.path());
  std::size_t num_decisions = 0, num_blurred = 0;
  for (std::uint64_t key = 0; key < 500; ++key) {
    const auto document = toy::make_document(tokenizer, {0.4, kDrilled, 0.3, 0.3}, key);
    REQUIRE(document.weights.size() == document.ids.size());
    REQUIRE_FALSE(document.described.empty());
    for (const std::int64_t id : document.ids) CHECK(id < tokenizer.size());  // no placeholder
    for (const std::size_t place : document.described) CHECK(document.weights[place] == 0);
    for (const toy::Decision& decision : document.decisions) {
      CHECK(document.weights[decision.token] == 1);
      const std::vector<std::int64_t> id{document.ids[decision.token]};
      const auto words = toy::options(decision.type);
      CHECK(std::ranges::find(words, tokenizer.decode(id)) != words.end());
    }
    num_decisions += document.decisions.size();
    num_blurred += document.is_blurred;
    CHECK(toy::make_document(tokenizer, {0.4, kDrilled, 0.3, 0.3}, key).ids == document.ids);
  }
  CHECK(num_decisions > 1500);
  CHECK(num_blurred > 100);
  CHECK(num_blurred < 200);
}

TEST_CASE("language: an exam ends where its answer begins") {
  const test::TemporaryFolder folder;
  const auto tokenizer = tokenizer_of_the_world(folder.path());
  RandomStream random(3);
  const auto exam = toy::draw_exam(random, toy::Style::caption, "colour");
  const std::string prompt = tokenizer.decode(toy::exam_prompt(tokenizer, exam));
  INFO(prompt);
  CHECK(prompt.find(exam.described.text) != std::string::npos);
  CHECK(prompt.find(exam.asked.question) != std::string::npos);
  CHECK(prompt.ends_with("###Assistant:"));
}

TEST_CASE(
    "language: the colour of what is heard stands with the pictures, its kind with the sound") {
  const test::TemporaryFolder folder;
  const auto tokenizer = tokenizer_of_the_world(folder.path());
  for (std::uint64_t key = 0; key < 100; ++key) {
    RandomStream random(key);
    const auto exam = toy::draw_exam(random, toy::Style::both, "heard_colour");
    const std::string prompt = tokenizer.decode(toy::exam_prompt(tokenizer, exam));
    INFO(prompt);
    const auto sound = prompt.find(exam.described.sound_text);
    REQUIRE(sound != std::string::npos);
    CHECK(prompt.find(exam.described.text) < sound);
    const auto kind = exam.asked.answer.substr(4, exam.asked.answer.find(" is") - 4);
    CHECK(exam.described.text.find(exam.asked.word + " " + kind) != std::string::npos);
    const auto& kinds = toy::kKindWords;
    const auto number = static_cast<std::size_t>(std::ranges::find(kinds, kind) - kinds.begin());
    const bool is_named = exam.described.sound_text.find(kind) != std::string::npos;
    const bool is_heard =
        exam.described.sound_text.find(toy::kSoundWords[number]) != std::string::npos;
    CHECK(is_named != is_heard);
  }
}

TEST_CASE("language: the first heads begin by looking one, two, three and five words back") {
  const language::LlamaConfig config = models::language_config(
      {.width = 128, .mlp_width = 64, .num_layers = 1, .num_heads = 6, .head_width = 32}, 600);
  language::Llama model(config);
  nn::ParameterList parameters;
  model.declare(parameters);
  nn::initialize(parameters, 5);
  toy::start_looking_back(parameters, config, 5);
  const auto named = [&](const std::string& name) {
    for (const nn::Parameter& parameter : parameters)
      if (parameter.name == name) return *parameter.tensor;
    throw InternalError(name);
  };
  constexpr std::int64_t kLength = 60;
  const at::Tensor ids = at::arange(100, 100 + kLength);
  const at::Tensor words = at::embedding(named("model.embed_tokens.weight"), ids);
  const at::Tensor normed = words / words.pow(2).mean(1, true).add(config.norm_epsilon).sqrt();
  const nn::RotaryEmbedding rotary(32, kLength, config.rope_base, {}, at::kFloat, at::kCPU);
  const auto angles = rotary.at_positions(at::arange(kLength));
  const auto heads = [&](const char* matrix) {
    const at::Tensor rows =
        normed.matmul(named(std::string("model.layers.0.self_attn.") + matrix + ".weight").t());
    return nn::RotaryEmbedding::rotate(rows.view({kLength, 6, 32}), angles);
  };
  const at::Tensor queries = heads("q_proj"), keys = heads("k_proj");
  const std::int64_t distances[] = {1, 2, 3, 5};
  for (std::int64_t head = 0; head < 4; ++head) {
    const at::Tensor scores =
        queries.select(1, head).matmul(keys.select(1, head).t()) / std::sqrt(32.0);
    double sum = 0;
    for (std::int64_t i = 5; i < kLength; ++i)
      sum += at::softmax(scores[i].narrow(0, 0, i + 1), 0)[i - distances[head]].item<double>();
    INFO("head " << head);
    CHECK(sum / (kLength - 5) > 0.9);
  }
}

TEST_CASE("language: a tiny model trains, is read back, fails its gates, and is not overwritten") {
  log::quiet();
  const test::TemporaryFolder folder, again;
  const toy::LanguageTraining training{
      {.width = 32, .mlp_width = 32, .num_layers = 1, .num_heads = 4, .head_width = 8}, 1, 0.002};
  toy::train_language_model(training, folder.path());
  toy::train_language_model(training, again.path());
  CHECK(read_file(folder.path() / "llama/model.safetensors") ==
        read_file(again.path() / "llama/model.safetensors"));
  CHECK_THROWS_AS(toy::train_language_model(training, folder.path()), UserError);
  const auto gates = toy::language_gates(folder.path(), 1, 8);
  CHECK(gates.size() == 17 + 17 + 11 + 9 + 6);
  CHECK_FALSE(toy::all_passed(gates));
}
