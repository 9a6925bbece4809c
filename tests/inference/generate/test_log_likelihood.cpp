#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/tensor.h>

#include <catch2/catch.hpp>

#include "core/error.h"
#include "inference/generate/log_likelihood.h"
#include "tests/inference/generate/tiny_language_model.h"

using namespace vllama;
using Ids = std::vector<std::int64_t>;
using test::TinyLanguageModel;

namespace {

// ln p is about -10 here; sums of fp32 products in another order move it by some 1e-6 of that.
constexpr double kTolerancePerToken = 1e-4;

double one_by_one(const language::Llama& model, at::Tensor inputs_TH, const Ids& continuation) {
  double sum = 0;
  for (const std::int64_t id : continuation) {
    const at::Tensor hidden_TH = model.hidden(inputs_TH, nn::Segments({inputs_TH.size(0)}));
    const at::Tensor logits_1V =
        model.logits(model.final_norm(hidden_TH.narrow(0, inputs_TH.size(0) - 1, 1)));
    sum += at::log_softmax(logits_1V, 1)[0][id].item<double>();
    inputs_TH = at::cat({inputs_TH, model.embed(at::tensor({id}, at::kLong))});
  }
  return sum;
}

}  // namespace

TEST_CASE("log-likelihoods of continuations are the sums of their tokens', however grouped") {
  const TinyLanguageModel language(test::grouped_language_sizes());
  const auto prompt = language.prompt(23, 1);
  const std::vector<Ids> continuations{{5}, {7, 8, 9, 10, 11}, {}, {900, 31999}, {4, 4, 4}, {17}};
  const std::int64_t tokens_at_once = GENERATE(1, 4, 1024);
  const auto results =
      inference::log_likelihoods(language.model, prompt, continuations, tokens_at_once);
  REQUIRE(results.size() == continuations.size());
  for (std::size_t i = 0; i < results.size(); ++i) {
    CAPTURE(i);
    const auto count = static_cast<double>(continuations[i].size());
    CHECK(results[i].num_tokens == std::ssize(continuations[i]));
    CHECK(std::abs(results[i].sum - one_by_one(language.model, prompt.inputs_TH,
                                               continuations[i])) <= kTolerancePerToken * count);
  }
}

TEST_CASE("log-likelihoods: no continuations, too long ones, unknown tokens") {
  const TinyLanguageModel language;
  const auto prompt = language.prompt(500, 1);
  CHECK(inference::log_likelihoods(language.model, prompt, {}).empty());
  CHECK(inference::log_likelihoods(language.model, prompt, {{Ids{}}})[0].num_tokens == 0);
  CHECK_NOTHROW(inference::log_likelihoods(language.model, prompt, {{Ids(12, 5)}}));
  CHECK_THROWS_AS(inference::log_likelihoods(language.model, prompt, {{Ids(13, 5)}}), UserError);
  CHECK_THROWS_AS(inference::log_likelihoods(language.model, prompt, {{Ids{32000}}}), UserError);
  CHECK_THROWS_AS(inference::log_likelihoods(language.model, prompt, {{Ids{-1}}}), UserError);
}
