// Aligned plain-text tables for the start of a run: configuration, parameters, data sizes.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace vllama::output {

struct Table {
  std::string title;
  std::vector<std::string> header{};  // may be empty: no header
  std::vector<std::vector<std::string>> rows{};
  std::vector<std::string> total{};  // a last row under a line; may be empty
};

// The table as text that ends with a line end. Columns are as wide as their widest cell and two
// spaces apart; a column in which every cell is a number (it starts with a digit or sign, or is
// empty) is aligned at the right. Rows may be of different lengths. Control characters in cells are
// shown as '?', so that no path or name can move the cursor.
std::string format_table(const Table& table);

// How many columns of a terminal a UTF-8 text takes, one per character.
std::size_t display_width(std::string_view text);

}  // namespace vllama::output
