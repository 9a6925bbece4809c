// A configuration as text gives it: scalars, lists and maps, each of which knows where it was
// written.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vllama::config {

struct Tree {
  enum class Kind { null, scalar, list, map };

  Kind kind = Kind::null;
  std::string scalar;
  std::vector<Tree> items;                            // of a list
  std::vector<std::pair<std::string, Tree>> entries;  // of a map, in the order of the file
  std::string source;                                 // "file:line", or "--set"

  // Out of line, because a pair of text and tree can be completed only where none of them is asked
  // for: clang insists on that.
  Tree();
  ~Tree();
  Tree(const Tree&);
  Tree(Tree&&) noexcept;
  Tree& operator=(const Tree&);
  Tree& operator=(Tree&&) noexcept;

  const Tree* find(std::string_view key) const;
  Tree& child(const std::string& key);  // created when absent
};

// Parses a YAML file. In any map the key `include: FILE` (relative to the file that names it,
// and as expanded_path() reads it) supplies defaults for that map: its own keys win, maps merge,
// lists and scalars replace. Throws UserError with file and line for a syntax error, a repeated
// key, or includes that form a circle.
Tree load_file(const std::filesystem::path& path);

// Parses YAML text; `name` stands for the file in messages. With `repeats`, a key that is repeated
// with an equal value is added there as "file:line: the key ..." and no error.
Tree load_text(const std::string& text, const std::string& name,
               std::vector<std::string>* repeats = nullptr);

// Sets one value from "key.of.section=value"; the value is parsed as YAML. A number selects an item
// of a list ("datasets.0.weight=2"). Throws UserError on a malformed assignment.
void apply_override(Tree& root, const std::string& assignment);

// The tree as YAML text.
std::string to_yaml(const Tree& tree);

}  // namespace vllama::config
