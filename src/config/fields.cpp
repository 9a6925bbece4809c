#include "config/fields.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "config/path_text.h"
#include "core/error.h"
#include "core/nearest_name.h"
#include "core/wrapped_text.h"

namespace vllama::config {
namespace {

template <class T>
void parse_number(const Tree& tree, const std::string& where, T& value, const char* kind) {
  const std::string& text = tree.scalar;
  const bool plus = text.starts_with('+');
  const char* end = text.data() + text.size();
  const auto [stop, status] = std::from_chars(text.data() + plus, end, value);
  if (tree.kind != Tree::Kind::scalar || text.empty() || status != std::errc{} || stop != end)
    fail(tree.source, where, fmt::format("must be {}, not '{}'", kind, text));
}

Tree scalar(std::string text) {
  Tree tree;
  tree.kind = Tree::Kind::scalar;
  tree.scalar = std::move(text);
  return tree;
}

}  // namespace

void fail(const std::string& source, const std::string& where, const std::string& problem) {
  const std::string place = source.empty() ? "configuration" : source;
  throw UserError(where.empty() ? fmt::format("{}: {}", place, problem)
                                : fmt::format("{}: '{}' {}", place, where, problem));
}

void parse(const Tree& tree, const std::string& where, bool& value) {
  static const std::map<std::string, bool> words = {
      {"true", true},   {"True", true},   {"yes", true}, {"on", true},
      {"false", false}, {"False", false}, {"no", false}, {"off", false}};
  const auto word = words.find(tree.scalar);
  if (tree.kind != Tree::Kind::scalar || word == words.end())
    fail(tree.source, where, fmt::format("must be true or false, not '{}'", tree.scalar));
  value = word->second;
}

void parse(const Tree& tree, const std::string& where, std::int64_t& value) {
  parse_number(tree, where, value, "a whole number");
}

void parse(const Tree& tree, const std::string& where, Size& value) {
  std::int64_t number = 0;
  parse(tree, where, number);
  value = number;
}

void parse(const Tree& tree, const std::string& where, std::uint64_t& value) {
  parse_number(tree, where, value, "a whole number, not negative");
}

void parse(const Tree& tree, const std::string& where, double& value) {
  parse_number(tree, where, value, "a number");
  if (!std::isfinite(value)) fail(tree.source, where, "must be finite");
}

void parse(const Tree& tree, const std::string& where, std::string& value) {
  if (tree.kind == Tree::Kind::null)
    fail(tree.source, where, "must be text; write \"\" for an empty one");
  if (tree.kind != Tree::Kind::scalar) fail(tree.source, where, "must be text");
  value = tree.scalar;
}

Tree format(bool value) {
  return scalar(value ? "true" : "false");
}
Tree format(const Size& value) {
  return format(std::int64_t{value});
}

Tree format(std::int64_t value) {
  return scalar(std::to_string(value));
}
Tree format(std::uint64_t value) {
  return scalar(std::to_string(value));
}
Tree format(double value) {
  return scalar(fmt::format("{}", value));
}
Tree format(const std::string& value) {
  return scalar(value);
}
Tree format_path(const std::string& value) {
  return scalar(path_text(value));
}

void check_choice(const std::string& source, const std::string& where, const std::string& value,
                  const OneOf& rule) {
  if (std::ranges::find(rule.names, value) == rule.names.end())
    fail(source, where,
         fmt::format("must be one of {}, not '{}'", fmt::join(rule.names, ", "), value));
}

std::string Reader::unknown(const std::string& key) const {
  if (const auto nearest = nearest_name(key, {known_.begin(), known_.end()}))
    return fmt::format("is not a known key (did you mean '{}'?)", *nearest);
  return fmt::format("is not a known key (known here: {})", fmt::join(known_, ", "));
}

void Reader::expand(const std::string& source, const std::string& where, std::string& path) {
  try {
    path = expanded_path(path);
  } catch (const UserError& problem) {
    fail(source, where, problem.what());
  }
}

// The file's own size is the default; the published one stands in for a file that is not there.
void Helper::describe(const std::string& key, Size& value, const char* help) {
  add_line(key, scalar(fmt::format("{}, or the file's", std::int64_t{value})), help);
}

void Helper::add_line(const std::string& key, const Tree& value, const char* help) {
  constexpr std::size_t kIndent = 6;
  std::string shown = to_yaml(value);
  shown.pop_back();
  const std::string line = fmt::format("  {}: {}\n", key, shown);
  text_ += line.size() <= kHelpColumns + 1
               ? line
               : fmt::format("  {}:\n{}", key, wrapped(shown, kHelpColumns, kIndent - 2));
  text_ += wrapped(help, kHelpColumns, kIndent);
}

}  // namespace vllama::config
