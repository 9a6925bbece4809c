#include "config/tree.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <charconv>

#include "config/path_text.h"
#include "core/error.h"
#include "core/files.h"

namespace vllama::config {
namespace {

std::string at_line(const std::string& file, const YAML::Mark& mark) {
  return mark.is_null() ? file : fmt::format("{}:{}", file, mark.line + 1);
}

// Whatever the places they were written at.
bool same_content(const Tree& a, const Tree& b) {
  return a.kind == b.kind && a.scalar == b.scalar &&
         std::ranges::equal(a.items, b.items, same_content) &&
         std::ranges::equal(a.entries, b.entries, [](const auto& x, const auto& y) {
           return x.first == y.first && same_content(x.second, y.second);
         });
}

// Aliases can name what they are part of, or multiply a short text beyond any memory.
constexpr int kMaxDepth = 64;
constexpr int kMaxNodes = 100'000;

class Conversion {
 public:
  Conversion(const std::string& file, std::vector<std::string>* repeats)
      : file_(file), repeats_(repeats) {}

  Tree convert(const YAML::Node& node, int depth = 0) {
    Tree tree;
    tree.source = at_line(file_, node.Mark());
    if (depth > kMaxDepth || ++num_nodes_ > kMaxNodes)
      throw UserError(
          fmt::format("{}: more than {} levels or {} values; does an alias (*name) "
                      "name what it is part of?",
                      tree.source, kMaxDepth, kMaxNodes));
    switch (node.Type()) {
      case YAML::NodeType::Scalar:
        tree.kind = Tree::Kind::scalar;
        tree.scalar = node.Scalar();
        break;
      case YAML::NodeType::Sequence:
        tree.kind = Tree::Kind::list;
        for (const auto& item : node) tree.items.push_back(convert(item, depth + 1));
        break;
      case YAML::NodeType::Map:
        tree.kind = Tree::Kind::map;
        for (const auto& entry : node) add(tree, entry.first, convert(entry.second, depth + 1));
        break;
      default:
        break;
    }
    return tree;
  }

 private:
  void add(Tree& map, const YAML::Node& key_node, Tree value) {
    const std::string& key = key_node.Scalar();
    const Tree* earlier = map.find(key);
    if (earlier == nullptr) {
      map.entries.emplace_back(key, std::move(value));
      return;
    }
    const std::string problem =
        fmt::format("{}: the key '{}' is given twice", at_line(file_, key_node.Mark()), key);
    if (repeats_ == nullptr || !same_content(*earlier, value)) throw UserError(problem);
    repeats_->push_back(problem);
  }

  const std::string& file_;
  std::vector<std::string>* repeats_;
  int num_nodes_ = 0;
};

// Adds what `defaults` has and `tree` lacks.
void merge_defaults(Tree& tree, const Tree& defaults) {
  if (tree.kind != Tree::Kind::map || defaults.kind != Tree::Kind::map) return;
  for (const auto& [key, value] : defaults.entries) {
    const auto own = std::ranges::find(tree.entries, key, &std::pair<std::string, Tree>::first);
    if (own == tree.entries.end())
      tree.entries.emplace_back(key, value);
    else
      merge_defaults(own->second, value);
  }
}

Tree load_file_within(const std::filesystem::path& path, std::vector<std::filesystem::path> chain);

std::string included_path(const Tree& include) {
  if (include.kind != Tree::Kind::scalar)
    throw UserError(include.source + ": 'include' must name one YAML file");
  try {
    return expanded_path(include.scalar);
  } catch (const UserError& problem) {
    throw UserError(fmt::format("{}: 'include' {}", include.source, problem.what()));
  }
}

void resolve_includes(Tree& tree, const std::filesystem::path& folder,
                      const std::vector<std::filesystem::path>& chain) {
  for (Tree& item : tree.items) resolve_includes(item, folder, chain);
  for (auto& [key, value] : tree.entries) resolve_includes(value, folder, chain);
  const auto include =
      std::ranges::find(tree.entries, "include", &std::pair<std::string, Tree>::first);
  if (include == tree.entries.end()) return;
  const Tree defaults = load_file_within(folder / included_path(include->second), chain);
  tree.entries.erase(include);
  merge_defaults(tree, defaults);
}

Tree load_file_within(const std::filesystem::path& path, std::vector<std::filesystem::path> chain) {
  std::error_code error;
  auto canonical = std::filesystem::weakly_canonical(path, error);
  if (error) canonical = path;  // no file is there, which reading it says
  if (std::ranges::find(chain, canonical) != chain.end())
    throw UserError(fmt::format("'{}' includes itself", path.string()));
  chain.push_back(canonical);
  Tree tree = load_text(read_file(path), path.string());
  resolve_includes(tree, path.parent_path(), chain);
  return tree;
}

YAML::Node parse(const std::string& text, const std::string& name) {
  try {
    return YAML::Load(text);
  } catch (const YAML::Exception& failure) {
    throw UserError(
        fmt::format("{}: not valid YAML: {}", at_line(name, failure.mark), failure.msg));
  }
}

Tree& item_or_child(Tree& tree, const std::string& key, const std::string& assignment) {
  if (tree.kind != Tree::Kind::list) return tree.child(key);
  std::size_t index = 0;
  const auto [end, status] = std::from_chars(key.data(), key.data() + key.size(), index);
  if (status != std::errc{} || end != key.data() + key.size() || index >= tree.items.size())
    throw UserError(fmt::format("--set {}: '{}' must be a number below {}", assignment, key,
                                tree.items.size()));
  return tree.items[index];
}

void emit(YAML::Emitter& out, const Tree& tree) {
  switch (tree.kind) {
    case Tree::Kind::null:
      out << YAML::Null;
      break;
    case Tree::Kind::scalar:
      out << tree.scalar;
      break;
    case Tree::Kind::list:
      if (std::ranges::all_of(tree.items,
                              [](const Tree& t) { return t.kind == Tree::Kind::scalar; }))
        out << YAML::Flow;
      out << YAML::BeginSeq;
      for (const Tree& item : tree.items) emit(out, item);
      out << YAML::EndSeq;
      break;
    case Tree::Kind::map:
      out << YAML::BeginMap;
      for (const auto& [key, value] : tree.entries) {
        out << YAML::Key << key << YAML::Value;
        emit(out, value);
      }
      out << YAML::EndMap;
      break;
  }
}

}  // namespace

Tree::Tree() = default;
Tree::~Tree() = default;
Tree::Tree(const Tree&) = default;
Tree::Tree(Tree&&) noexcept = default;
Tree& Tree::operator=(const Tree&) = default;
Tree& Tree::operator=(Tree&&) noexcept = default;

const Tree* Tree::find(std::string_view key) const {
  const auto found = std::ranges::find(entries, key, &std::pair<std::string, Tree>::first);
  return found == entries.end() ? nullptr : &found->second;
}

Tree& Tree::child(const std::string& key) {
  kind = Kind::map;
  const auto found = std::ranges::find(entries, key, &std::pair<std::string, Tree>::first);
  if (found != entries.end()) return found->second;
  return entries.emplace_back(key, Tree{}).second;
}

Tree load_file(const std::filesystem::path& path) {
  return load_file_within(path, {});
}

Tree load_text(const std::string& text, const std::string& name,
               std::vector<std::string>* repeats) {
  return Conversion(name, repeats).convert(parse(text, name));
}

void apply_override(Tree& root, const std::string& assignment) {
  const auto equals = assignment.find('=');
  if (equals == std::string::npos || equals == 0)
    throw UserError(fmt::format("--set {}: expected key=value", assignment));
  Tree* place = &root;
  std::size_t start = 0;
  while (start <= equals) {
    const std::size_t end = std::min(assignment.find('.', start), equals);
    place = &item_or_child(*place, assignment.substr(start, end - start), assignment);
    start = end + 1;
  }
  const std::string name = "--set " + assignment.substr(0, equals);
  *place = Conversion(name, nullptr).convert(parse(assignment.substr(equals + 1), name));
  place->source = name;
}

std::string to_yaml(const Tree& tree) {
  YAML::Emitter out;
  emit(out, tree);
  return std::string(out.c_str()) + "\n";
}

}  // namespace vllama::config
