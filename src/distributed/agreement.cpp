#include "distributed/agreement.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>
#include <set>

namespace vllama::distributed {
namespace {

using Facts = std::map<std::string, std::string>;

std::string value_of(const Facts& facts, const std::string& name) {
  const auto found = facts.find(name);
  return found == facts.end() ? "absent" : "'" + found->second + "'";
}

}  // namespace

std::string disagreement(const std::vector<Facts>& facts_of_rank) {
  constexpr std::size_t kMostListed = 10;
  std::set<std::string> names;
  for (const Facts& facts : facts_of_rank)
    for (const auto& [name, value] : facts) names.insert(name);
  std::vector<std::string> lines;
  for (const std::string& name : names) {
    const std::string first = value_of(facts_of_rank.front(), name);
    std::map<std::string, std::vector<std::size_t>> others;
    for (std::size_t rank = 1; rank < facts_of_rank.size(); ++rank)
      if (value_of(facts_of_rank[rank], name) != first)
        others[value_of(facts_of_rank[rank], name)].push_back(rank);
    for (const auto& [value, ranks] : others)
      lines.push_back(fmt::format("{}: {} on rank 0, {} on rank{} {}", name, first, value,
                                  ranks.size() > 1 ? "s" : "", fmt::join(ranks, ", ")));
  }
  if (lines.size() > kMostListed) {
    const std::size_t num_more = lines.size() - kMostListed;
    lines.resize(kMostListed);
    lines.push_back(fmt::format("and {} more", num_more));
  }
  return fmt::format("{}", fmt::join(lines, "\n  "));
}

void require_agreement(Communicator& ranks, const Facts& facts) {
  const std::string what = "comparison of versions, configuration and data";
  const auto texts = ranks.gather(
      nlohmann::json(facts).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace), what);
  ranks.decided_by_first(
      [&] {
        std::vector<Facts> facts_of_rank;
        for (const std::string& text : texts)
          facts_of_rank.push_back(nlohmann::json::parse(text).get<Facts>());
        const std::string lines = disagreement(facts_of_rank);
        if (!lines.empty())
          throw UserError(
              "the ranks do not agree on what to train; give all of them the same "
              "program, configuration and data:\n  " +
              lines);
        return std::string();
      },
      what);
}

}  // namespace vllama::distributed
