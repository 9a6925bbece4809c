#include "output/table.h"

#include <algorithm>
#include <cctype>

namespace vllama::output {
namespace {

constexpr std::string_view kIndent = "  ", kGap = "  ";

using Row = std::vector<std::string>;

struct Column {
  std::size_t width = 0;
  bool is_numeric = true;
};

bool looks_numeric(const std::string& cell) {
  const std::size_t sign = cell.starts_with('-') || cell.starts_with('+') ? 1 : 0;
  return cell.empty() ||
         (cell.size() > sign && std::isdigit(static_cast<unsigned char>(cell[sign])));
}

Row printable(Row row) {
  for (std::string& cell : row)
    std::ranges::replace_if(
        cell, [](unsigned char byte) { return byte < ' ' || byte == 0x7f; }, '?');
  return row;
}

std::vector<Column> measure(const Table& table) {
  std::vector<Column> columns;
  const auto see = [&](const Row& row, bool is_header) {
    columns.resize(std::max(columns.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) {
      columns[i].width = std::max(columns[i].width, display_width(row[i]));
      if (!is_header && !looks_numeric(row[i])) columns[i].is_numeric = false;
    }
  };
  see(table.header, true);
  for (const Row& row : table.rows) see(row, false);
  see(table.total, false);
  return columns;
}

std::string line_of(const Row& row, const std::vector<Column>& columns) {
  std::string line(kIndent);
  for (std::size_t i = 0; i < row.size(); ++i) {
    const std::string padding(columns[i].width - display_width(row[i]), ' ');
    if (i > 0) line += kGap;
    line += columns[i].is_numeric ? padding + row[i] : row[i] + padding;
  }
  line.erase(line.find_last_not_of(' ') + 1);
  return line + "\n";
}

std::string rule_of(const std::vector<Column>& columns) {
  std::size_t width = columns.empty() ? 0 : kGap.size() * (columns.size() - 1);
  for (const Column& column : columns) width += column.width;
  return std::string(kIndent) + std::string(width, '-') + "\n";
}

}  // namespace

std::string format_table(const Table& table) {
  Table clean{table.title, printable(table.header), {}, printable(table.total)};
  for (const Row& row : table.rows) clean.rows.push_back(printable(row));
  const std::vector<Column> columns = measure(clean);
  std::string text = table.title.empty() ? "" : table.title + "\n";
  if (!clean.header.empty()) text += line_of(clean.header, columns) + rule_of(columns);
  for (const Row& row : clean.rows) text += line_of(row, columns);
  if (!clean.total.empty()) text += rule_of(columns) + line_of(clean.total, columns);
  return text;
}

std::size_t display_width(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char byte) { return (static_cast<unsigned char>(byte) & 0xc0) != 0x80; }));
}

}  // namespace vllama::output
