#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <map>

#include "core/error.h"
#include "inference/generate/settings_without_effect.h"
#include "inference/generate/token_choice.h"

using namespace vllama;
using inference::GenerationConfig;

namespace {

std::vector<float> spread_logits(std::size_t count) {
  RandomStream random(5);
  std::vector<float> logits(count);
  for (float& logit : logits) logit = static_cast<float>(2 * random.normal());
  return logits;
}

}  // namespace

TEST_CASE("the most probable token is the first of equal ones") {
  CHECK(inference::most_probable(std::vector<float>{1, 3, 2, 3}) == 1);
  CHECK(inference::most_probable(std::vector<float>{-INFINITY, -5}) == 1);
}

TEST_CASE("settings without effect are named with the reason") {
  const std::set<std::string> all{"temperature", "top_k",          "top_p",
                                  "seed",        "length_penalty", "repetition_penalty"};
  CHECK(inference::without_effect({}, all).size() == 5);
  CHECK(inference::without_effect({}, {"temperature"}).at(0) ==
        "temperature has no effect: do_sample is false, the most probable token is taken");
  CHECK(inference::without_effect({.num_beams = 4}, all).size() == 4);
  CHECK(inference::without_effect({.do_sample = true}, all).size() == 1);
  CHECK(inference::without_effect({.do_sample = true, .top_k = 1}, all).size() == 4);
  CHECK(inference::without_effect({}, {"max_new_tokens"}).empty());
}

TEST_CASE("weights that give no numbers stop the run") {
  const std::vector<float> logits{1, NAN, 2};
  CHECK_THROWS_AS(inference::most_probable(logits), RunFailure);
  CHECK_THROWS_AS(inference::drawable_tokens(logits, {}), RunFailure);
}

TEST_CASE("the largest of many, of equal ones the first") {
  const auto all = spread_logits(5000);
  const auto sorted = inference::largest(all, all.size());
  for (std::size_t i = 1; i < sorted.size(); ++i) CHECK(sorted[i - 1].score >= sorted[i].score);
  for (const std::size_t count : {1u, 7u, 999u}) {
    const auto kept = inference::largest(all, count);
    REQUIRE(kept.size() == count);
    for (std::size_t i = 0; i < count; ++i) CHECK(kept[i].id == sorted[i].id);
  }
  const auto equal = inference::largest(std::vector<float>(100, 1.5F), 3);
  CHECK(equal[0].id == 0);
  CHECK(equal[2].id == 2);
}

TEST_CASE("a token is drawn as often as its probability says") {
  const auto logits = spread_logits(40);
  const GenerationConfig config{.do_sample = true, .temperature = 1.3, .top_k = 12, .top_p = 0.9};
  constexpr int kDraws = 40000;
  std::map<std::int64_t, int> counts;
  for (int i = 0; i < kDraws; ++i)
    ++counts[inference::draw_token(logits, config,
                                   RandomStream(random_key({static_cast<std::uint64_t>(i)})))];
  const auto tokens = inference::drawable_tokens(logits, config);
  CHECK(counts.size() == tokens.size());
  double squares = 0;
  for (const auto& token : tokens) {
    const double expected = kDraws * token.probability;
    squares += std::pow(counts[token.id] - expected, 2) / expected;
  }
  CHECK(squares < 32.9);  // chi-squared of 11 degrees of freedom: 1 in 2000
}

TEST_CASE("without top_k only as many tokens are sorted as top_p needs, with the same result") {
  auto logits = spread_logits(32000);
  const auto kept = inference::drawable_tokens(logits, {.top_k = 0, .top_p = 0.7});
  double sum = 0;
  const auto sorted = inference::largest(logits, logits.size());
  double total = 0;
  for (const float logit : logits) total += std::exp(static_cast<double>(logit));
  std::size_t count = 0;
  while (sum < 0.7 * total) sum += std::exp(static_cast<double>(sorted[count++].score));
  REQUIRE(kept.size() == count);
  CHECK(kept.size() > 256);
  CHECK(kept.back().id == sorted[count - 1].id);
  CHECK(kept[0].probability == Approx(std::exp(sorted[0].score) / sum));
}

TEST_CASE("random numbers belong to seed, prompt and place in the answer") {
  const auto logits = spread_logits(1000);
  const auto drawn = [&](std::uint64_t seed, std::uint64_t prompt, std::size_t length) {
    auto copy = logits;
    return inference::choose_token(copy, std::vector<std::int64_t>(length, 1), prompt,
                                   {.do_sample = true, .top_k = 0, .top_p = 1, .seed = seed});
  };
  CHECK(drawn(1, 2, 3) == drawn(1, 2, 3));
  int num_equal = 0;
  for (std::uint64_t i = 0; i < 20; ++i) {
    num_equal += drawn(1, 2, 3) == drawn(1, 2, 4 + i);
    num_equal += drawn(1, 2, 3) == drawn(1, 3 + i, 3);
    num_equal += drawn(1, 2, 3) == drawn(2 + i, 2, 3);
  }
  CHECK(num_equal < 15);
}

TEST_CASE("a repetition penalty acts once on each token of the answer") {
  std::vector<float> logits{2, -2, 3, -3};
  inference::penalize_repetition(logits, std::vector<std::int64_t>{0, 1, 1, 0}, 2);
  CHECK(logits == std::vector<float>{1, -4, 3, -3});
}
