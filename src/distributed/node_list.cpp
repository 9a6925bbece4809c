#include "distributed/node_list.h"

#include <fmt/format.h>

#include <charconv>

#include "core/error.h"

namespace vllama::distributed {
namespace {

std::int64_t number(std::string_view text, std::string_view whole) {
  std::int64_t value = 0;
  const auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || at != text.data() + text.size() || value < 0)
    throw UserError(fmt::format("'{}' is not a list of tasks per node", whole));
  return value;
}

}  // namespace

std::string first_node(std::string_view node_list) {
  const auto refuse = [&] {
    throw UserError(fmt::format("'{}' is not a list of nodes", node_list));
  };
  std::string node;
  for (std::size_t at = 0; at < node_list.size() && node_list[at] != ','; ++at) {
    if (node_list[at] != '[') {
      node += node_list[at];
      continue;
    }
    const std::size_t close = node_list.find(']', at);
    if (close == std::string_view::npos) refuse();
    const std::string_view ranges = node_list.substr(at + 1, close - at - 1);
    node += ranges.substr(0, ranges.find_first_of("-,"));
    at = close;
  }
  if (node.empty()) refuse();
  return node;
}

std::int64_t tasks_of_node(std::string_view counts, std::int64_t index) {
  std::string_view rest = counts;
  std::int64_t num_before = 0;
  while (!rest.empty()) {
    const std::string_view entry = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(rest.size(), entry.size() + 1));
    const std::size_t repeat = entry.find("(x");
    const std::int64_t num_tasks = number(entry.substr(0, repeat), counts);
    const bool is_repeated = repeat != std::string_view::npos && entry.ends_with(')');
    num_before +=
        is_repeated ? number(entry.substr(repeat + 2, entry.size() - repeat - 3), counts) : 1;
    if (index < num_before) return num_tasks;
  }
  throw UserError(fmt::format("'{}' has no entry for node number {}", counts, index));
}

}  // namespace vllama::distributed
