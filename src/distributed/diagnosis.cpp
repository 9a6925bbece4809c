#include "distributed/diagnosis.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

namespace vllama::distributed {
namespace {

constexpr std::size_t kMostNamed = 8;

std::string listed(std::vector<std::string> sentences) {
  const std::size_t num_more = sentences.size() - std::min(sentences.size(), kMostNamed);
  sentences.resize(sentences.size() - num_more);
  std::string text = fmt::format("{}", fmt::join(sentences, "; "));
  if (num_more > 0) text += fmt::format("; and {} more ranks", num_more);
  return text;
}

template <class Condition, class Sentence>
std::optional<std::string> about(std::span<const RankView> ranks, Condition condition,
                                 Sentence sentence) {
  std::vector<std::string> sentences;
  for (const RankView& rank : ranks)
    if (condition(rank)) sentences.push_back(sentence(rank));
  if (sentences.empty()) return std::nullopt;
  return listed(std::move(sentences));
}

// Whether a rank is not in an operation in which another one has waited in vain.
bool is_elsewhere(const RankView& rank, std::span<const RankView> ranks) {
  if (rank.state == RankView::State::left) return true;
  if (rank.state != RankView::State::working) return false;
  return !rank.is_waiting || std::ranges::none_of(ranks, [&](const RankView& other) {
    return other.state == RankView::State::lost && other.activity == rank.activity;
  });
}

}  // namespace

std::optional<std::string> diagnose(std::span<const RankView> ranks, const Patience& patience) {
  using State = RankView::State;
  const bool someone_is_lost =
      std::ranges::any_of(ranks, [](const RankView& rank) { return rank.state == State::lost; });

  if (const auto failed = about(
          ranks, [](const RankView& rank) { return rank.state == State::failed; },
          [](const RankView& rank) {
            return fmt::format("{} failed in '{}': {}", rank.place, rank.activity, rank.detail);
          }))
    return failed;

  const double limit = someone_is_lost ? patience.suspect_seconds : patience.silent_seconds;
  if (const auto silent = about(
          ranks,
          [&](const RankView& rank) {
            return rank.state == State::working && rank.silent_seconds > limit;
          },
          [](const RankView& rank) {
            return fmt::format(
                "{} has given no sign of life for {:.0f} s, last heard of in '{}': it was killed "
                "or stopped, or its machine or network is gone",
                rank.place, rank.silent_seconds, rank.activity);
          }))
    return silent;

  // A rank that just died looks busy until it misses its next sign of life.
  const bool is_settled = std::ranges::any_of(ranks, [&](const RankView& rank) {
    return rank.state == State::lost && rank.lost_seconds > patience.suspect_seconds + 1;
  });
  if (!is_settled) return std::nullopt;
  if (const auto busy = about(
          ranks, [&](const RankView& rank) { return is_elsewhere(rank, ranks); },
          [](const RankView& rank) {
            if (rank.state == State::left) return fmt::format("{} has ended its part", rank.place);
            return fmt::format("{} is alive, but has been in '{}' for {:.0f} s", rank.place,
                               rank.activity, rank.activity_seconds + rank.silent_seconds);
          }))
    return busy;
  return "all ranks are alive and in the same operation: the network between them is broken or too "
         "slow for distributed.timeout_seconds";
}

}  // namespace vllama::distributed
