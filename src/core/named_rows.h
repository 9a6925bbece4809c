// Tables whose rows have a `name`.
#pragma once

#include <algorithm>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

namespace vllama {

// Null if there is none of the name.
template <class Table>
auto row_named(const Table& table, std::string_view name) -> decltype(&*std::begin(table)) {
  const auto found = std::ranges::find_if(table, [&](const auto& row) { return row.name == name; });
  return found == std::end(table) ? nullptr : &*found;
}

template <class Table>
std::vector<std::string> names_of_rows(const Table& table) {
  std::vector<std::string> names;
  for (const auto& row : table) names.emplace_back(row.name);
  return names;
}

}  // namespace vllama
