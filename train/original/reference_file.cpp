#include "train/original/reference_file.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <optional>
#include <string_view>

#include "core/error.h"

namespace vllama::train {
namespace {

constexpr std::string_view kBlanks = " \t\r";

std::string_view without_leading_blanks(std::string_view text) {
  const auto start = text.find_first_not_of(kBlanks);
  return start == std::string_view::npos ? std::string_view{} : text.substr(start);
}

// A line "key: value" of a block of YAML.
struct KeyLine {
  std::size_t indent;
  std::string_view key, value;  // the value without blanks in front
};

std::optional<KeyLine> key_line(std::string_view line) {
  const std::string_view text = without_leading_blanks(line);
  std::size_t end = 0;
  while (end < text.size() &&
         (std::isalnum(static_cast<unsigned char>(text[end])) != 0 || text[end] == '_'))
    ++end;
  if (end == 0 || end == text.size() || text[end] != ':') return {};
  if (end + 1 < text.size() && kBlanks.find(text[end + 1]) == std::string_view::npos) return {};
  return KeyLine{line.size() - text.size(), text.substr(0, end),
                 without_leading_blanks(text.substr(end + 1))};
}

bool is_blank_or_comment(std::string_view line) {
  const std::string_view text = without_leading_blanks(line);
  return text.empty() || text[0] == '#';
}

// Takes a quoted text or a bare word off the front of `text`; nothing if there is none.
std::optional<std::string_view> take_word(std::string_view& text) {
  text = without_leading_blanks(text);
  if (text.empty() || text[0] == '#') return {};
  if (text[0] == '"' || text[0] == '\'') {
    const auto end = text.find(text[0], 1);
    if (end == std::string_view::npos) return {};
    const std::string_view word = text.substr(1, end - 1);
    text.remove_prefix(end + 1);
    return word;
  }
  const auto end = std::min(text.find_first_of(kBlanks), text.size());
  const std::string_view word = text.substr(0, end);
  text.remove_prefix(end);
  return word;
}

// Whether a value begins and ends on the line of its key; a block may stand below others.
bool has_value_on_line(std::string_view value) {
  if (value.empty() || std::string_view("#|>&*![{").find(value[0]) != std::string_view::npos)
    return false;
  return take_word(value).has_value();
}

// The alternatives of a value of the form "a" or "b" or "c"; none for any other value.
std::vector<std::string_view> alternatives(std::string_view value) {
  std::vector<std::string_view> found;
  for (;;) {
    const auto word = take_word(value);
    if (!word) return {};
    found.push_back(*word);
    value = without_leading_blanks(value);
    if (value.empty() || value[0] == '#') break;
    const auto joint = take_word(value);
    if (!joint || *joint != "or") return {};
  }
  return found.size() > 1 ? found : std::vector<std::string_view>{};
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines(1);
  for (const char c : text) {
    if (c == '\n')
      lines.emplace_back();
    else
      lines.back() += c;
  }
  return lines;
}

// Puts the first alternative in the place of every value to be chosen, so that the rest of the file
// can be read, and says where that was.
std::vector<std::string> replace_choices(std::vector<std::string>& lines, const std::string& name) {
  std::vector<std::string> problems;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const auto line = key_line(lines[i]);
    if (!line) continue;
    const auto choices = alternatives(line->value);
    if (choices.empty()) continue;
    problems.push_back(fmt::format("{}:{}: '{}': choose one of the values '{}'", name, i + 1,
                                   line->key, fmt::join(choices, "', '")));
    lines[i] = fmt::format("{}{}: '{}'", std::string(line->indent, ' '), line->key, choices[0]);
  }
  return problems;
}

// Blocks that are indented below a key with a value of its own, in a file that is not YAML.
std::vector<std::string> misplaced_blocks(const std::vector<std::string>& lines,
                                          const std::string& name) {
  std::vector<std::string> problems;
  std::optional<KeyLine> above;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (is_blank_or_comment(lines[i])) continue;
    const auto line = key_line(lines[i]);
    if (line && above && line->indent > above->indent)
      problems.push_back(fmt::format(
          "{}:{}:{}: '{}' is indented below '{}', which has a value; move it and the lines that "
          "belong to it to column {}",
          name, i + 1, line->indent + 1, line->key, above->key, above->indent + 1));
    const bool has_value = line && has_value_on_line(line->value);
    above = has_value ? line : std::nullopt;
  }
  return problems;
}

}  // namespace

ReferenceFile read_reference_file(const std::string& text, const std::string& name) {
  std::vector<std::string> lines = lines_of(text);
  std::vector<std::string> problems = replace_choices(lines, name);
  ReferenceFile file;
  try {
    file.tree =
        config::load_text(fmt::format("{}\n", fmt::join(lines, "\n")), name, &file.warnings);
  } catch (const UserError& error) {
    const auto misplaced = misplaced_blocks(lines, name);
    problems.insert(problems.end(), misplaced.begin(), misplaced.end());
    if (misplaced.empty()) problems.emplace_back(error.what());
  }
  if (!problems.empty())
    throw UserError(fmt::format("'{}' must be filled in or mended first:\n  {}", name,
                                fmt::join(problems, "\n  ")));
  for (std::string& warning : file.warnings) warning += ", with equal values";
  return file;
}

}  // namespace vllama::train
