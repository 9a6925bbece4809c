#include "core/nearest_name.h"

#include <algorithm>

namespace vllama {
namespace {

constexpr std::size_t kMostEdits = 2;

std::size_t edit_distance(const std::string& a, const std::string& b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1])});
      diagonal = above;
    }
  }
  return row[b.size()];
}

}  // namespace

std::optional<std::string> nearest_name(const std::string& name,
                                        const std::vector<std::string>& names) {
  const auto nearest = std::ranges::min_element(
      names, {}, [&](const std::string& known) { return edit_distance(name, known); });
  if (name.empty() || nearest == names.end()) return std::nullopt;
  if (edit_distance(name, *nearest) <= std::min(kMostEdits, name.size() - 1)) return *nearest;
  const auto with_same_beginning = std::ranges::find_if(names, [&](const std::string& known) {
    return known.starts_with(name) || name.starts_with(known);
  });
  return with_same_beginning == names.end() ? std::nullopt : std::optional(*with_same_beginning);
}

}  // namespace vllama
