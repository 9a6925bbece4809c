// Answers and distributions as transformers makes them.
#include <catch2/catch.hpp>
#include <map>
#include <nlohmann/json.hpp>

#include "core/files.h"
#include "inference/generate/token_choice.h"
#include "tests/inference/generate/tiny_language_model.h"
#include "tests/support/fixtures.h"
#include "tests/support/golden_tensors.h"

using namespace vllama;
using Ids = std::vector<std::int64_t>;

namespace {

// Both sides compute in fp32, transformers also the probabilities.
constexpr double kProbabilityTolerance = 1e-6;

nlohmann::json recording(const std::string& name = "generation") {
  return nlohmann::json::parse(read_file(test::golden_file("reference/" + name + ".json")));
}

std::unique_ptr<language::Llama> recorded_model(const std::string& name) {
  const auto path = [&](const char* extension) {
    return test::golden_file("reference/llama_" + name + extension);
  };
  auto model = std::make_unique<language::Llama>(language::read_llama_config(path(".config.json")));
  nn::ParameterList parameters;
  model->declare(parameters);
  test::GoldenTensors(path(".safetensors")).fill(parameters, "state.");
  model->prepare(at::kFloat, at::kCPU);
  return model;
}

}  // namespace

TEST_CASE("greedy answers, repetition penalty and beam search give the tokens of transformers") {
  const auto recorded = recording(GENERATE("generation", "generation_families"));
  std::map<std::string, std::unique_ptr<language::Llama>> models;
  int num_ended = 0;
  for (const auto& expected : recorded["answers"]) {
    const std::string name = expected["model"];
    if (!models[name]) models[name] = recorded_model(name);
    const auto& search = expected["search"];
    inference::GenerationConfig config{.max_new_tokens = recorded["max_new_tokens"]};
    config.num_beams = search.value("num_beams", config.num_beams);
    config.length_penalty = search.value("length_penalty", config.length_penalty);
    config.repetition_penalty = search.value("repetition_penalty", config.repetition_penalty);
    const std::int64_t end_token = expected["end_token"];
    const inference::StopRules rules{.sequences = {{end_token}}, .texts = {}};
    const auto prompt =
        inference::make_prompt(*models[name], {{expected["prompt"].get<Ids>()}}, {});
    const inference::Generator generator(*models[name], test::llama_tokenizer(), rules, config);
    const auto answer = generator({{prompt}}).at(0);
    Ids ids = answer.ids;
    if (answer.end != inference::AnswerEnd::length) {
      ids.push_back(end_token);
      ++num_ended;
    }
    INFO(name << " " << search.dump() << " end " << end_token << " prompt "
              << expected["prompt"].dump());
    CHECK(ids == expected["ids"].get<Ids>());
  }
  CHECK(num_ended > 20);
}

TEST_CASE("temperature, top_k and top_p leave what the warpers of transformers leave") {
  for (const auto& expected : recording()["draws"]) {
    INFO(expected["settings"]);
    const auto logits = expected["logits"].get<std::vector<float>>();
    const auto& settings = expected["settings"];
    const auto kept = inference::drawable_tokens(logits, {.temperature = settings["temperature"],
                                                          .top_k = settings["top_k"],
                                                          .top_p = settings["top_p"]});
    const auto probabilities = expected["probabilities"].get<std::vector<double>>();
    REQUIRE(kept.size() == probabilities.size());
    for (std::size_t i = 0; i < kept.size(); ++i) {
      CHECK(kept[i].id == expected["ids"][i]);
      CHECK(std::abs(kept[i].probability - probabilities[i]) < kProbabilityTolerance);
    }
  }
}
