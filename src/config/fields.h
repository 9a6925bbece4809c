// Typed configuration: one visit() per struct lists its fields; reading, dumping and help follow
// from it.
//
//   struct ScheduleConfig {
//     double peak = 1e-4;
//     template <class Visitor>
//     void visit(Visitor&& field) {
//       field("peak", peak, "largest learning rate", Range{0.0, 1.0});
//     }
//   };
#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <type_traits>
#include <vector>

#include "config/enum_names.h"
#include "config/size.h"
#include "config/tree.h"

namespace vllama::config {

// Rules that a field's value must meet.
template <class T>
struct Range {
  T min, max;
};
template <class T>
Range(T, T) -> Range<T>;

template <class T>
struct AtLeast {
  T min;
};
template <class T>
AtLeast(T) -> AtLeast<T>;

struct OneOf {
  std::vector<std::string> names;
};

struct Required {};

// The text is a path, a pattern of paths or nothing: "~" and "$NAME" in it are those of
// expanded_path().
struct Path {};

template <class... Rules>
inline constexpr bool kIsPath = (std::same_as<Rules, Path> || ...);

// True for structs that list their own fields.
template <class T>
concept Section = requires(T t) {
  t.visit([](auto&&...) {});
};

// Throws UserError "<source>: '<where>' <problem>".
[[noreturn]] void fail(const std::string& source, const std::string& where,
                       const std::string& problem);

void parse(const Tree& tree, const std::string& where, bool& value);
void parse(const Tree& tree, const std::string& where, std::int64_t& value);
void parse(const Tree& tree, const std::string& where, std::uint64_t& value);
void parse(const Tree& tree, const std::string& where, double& value);
void parse(const Tree& tree, const std::string& where, std::string& value);
void parse(const Tree& tree, const std::string& where, Size& value);  // then it is given

Tree format(bool value);
Tree format(std::int64_t value);
Tree format(std::uint64_t value);
Tree format(double value);  // the shortest text that reads back as the same number
Tree format(const std::string& value);
Tree format(const Size& value);
Tree format_path(const std::string& value);  // so that expanded_path() gives it again

void check_choice(const std::string& source, const std::string& where, const std::string& value,
                  const OneOf& rule);

template <NamedEnum Enum>
void parse(const Tree& tree, const std::string& where, Enum& value) {
  std::string name;
  parse(tree, where, name);
  check_choice(tree.source, where, name, OneOf{all_names<Enum>()});
  value = *value_named<Enum>(name);
}

template <NamedEnum Enum>
Tree format(Enum value) {
  return format(name_of(value));
}

class Reader {
 public:
  Reader(const Tree& tree, std::string path) : tree_(tree), path_(std::move(path)) {}

  template <class T, class... Rules>
  void operator()(const char* name, T& value, const char* /*help*/, const Rules&... rules) {
    known_.insert(name);
    const Tree* child = tree_.find(name);
    if (child == nullptr) {
      if constexpr ((std::same_as<Rules, Required> || ...))
        fail(tree_.source, path_ + name, "is missing");
      return;  // keep the default written in the struct
    }
    read(*child, path_ + name, value);
    if constexpr (kIsPath<Rules...>) expand(child->source, path_ + name, value);
    (check(child->source, path_ + name, value, rules), ...);
  }

  template <class T>
  static void read(const Tree& tree, const std::string& where, T& value) {
    if constexpr (Section<T>)
      read_section(tree, where, value);
    else
      parse(tree, where, value);
  }

  template <class T>
  static void read(const Tree& tree, const std::string& where, std::optional<T>& value) {
    if (tree.kind == Tree::Kind::null) {
      value.reset();
      return;
    }
    read(tree, where, value.emplace());
  }

  template <class T>
  static void read(const Tree& tree, const std::string& where, std::vector<T>& values) {
    if (tree.kind != Tree::Kind::list) fail(tree.source, where, "must be a list");
    values.clear();
    for (const Tree& item : tree.items) {
      const std::string place = where + "." + std::to_string(values.size());
      read(item, place, values.emplace_back());
    }
  }

 private:
  template <class T>
  static void read_section(const Tree& tree, const std::string& where, T& section) {
    if (tree.kind != Tree::Kind::map && tree.kind != Tree::Kind::null)
      fail(tree.source, where, "must be a map");
    Reader reader(tree, where.empty() ? "" : where + ".");
    section.visit(reader);
    for (const auto& [key, value] : tree.entries)
      if (!reader.known_.contains(key)) fail(value.source, reader.path_ + key, reader.unknown(key));
  }

  std::string unknown(const std::string& key) const;
  static void expand(const std::string& source, const std::string& where, std::string& path);

  template <class T>
  static void check(const std::string& source, const std::string& where, const T& value,
                    const Range<T>& rule) {
    if (!(value >= rule.min && value <= rule.max))
      fail(source, where,
           "must be from " + format(rule.min).scalar + " to " + format(rule.max).scalar);
  }
  template <class T>
  static void check(const std::string& source, const std::string& where, const T& value,
                    const AtLeast<T>& rule) {
    if (!(value >= rule.min)) fail(source, where, "must be at least " + format(rule.min).scalar);
  }
  template <class Rule>
  static void check(const std::string& source, const std::string& where, const Size& value,
                    const Rule& rule) {
    check(source, where, std::int64_t{value}, rule);
  }
  static void check(const std::string& source, const std::string& where, const std::string& value,
                    const OneOf& rule) {
    check_choice(source, where, value, rule);
  }
  static void check(const std::string& source, const std::string& where,
                    const std::vector<std::string>& values, const OneOf& rule) {
    for (std::size_t i = 0; i < values.size(); ++i)
      check_choice(source, where + "." + std::to_string(i), values[i], rule);
  }
  static void check(const std::string& source, const std::string& where, const std::string& value,
                    const Required&) {
    if (value.empty()) fail(source, where, "must not be empty");
  }
  template <class T>
  static void check(const std::string&, const std::string&, const T&, const Required&) {}
  static void check(const std::string&, const std::string&, const std::string&, const Path&) {}

  const Tree& tree_;
  std::string path_;
  std::set<std::string> known_;
};

class Writer {
 public:
  template <class T, class... Rules>
  void operator()(const char* name, T& value, const char* /*help*/, const Rules&...) {
    tree_.kind = Tree::Kind::map;
    if constexpr (kIsPath<Rules...>)
      tree_.entries.emplace_back(name, format_path(value));
    else
      tree_.entries.emplace_back(name, write(value));
  }

  template <class T>
  static Tree write(T& value) {
    if constexpr (Section<T>) {
      Writer writer;
      value.visit(writer);
      return writer.tree_;
    } else {
      return format(value);
    }
  }
  template <class T>
  static Tree write(std::optional<T>& value) {
    return value ? write(*value) : Tree{};
  }
  template <class T>
  static Tree write(std::vector<T>& values) {
    Tree tree;
    tree.kind = Tree::Kind::list;
    for (T& value : values) tree.items.push_back(write(value));
    return tree;
  }

 private:
  Tree tree_;
};

// For every key its dotted name and default, and below them what it is for.
class Helper {
 public:
  explicit Helper(std::string path = "") : path_(std::move(path)) {}

  template <class T, class... Rules>
  void operator()(const char* name, T& value, const char* help, const Rules&...) {
    if constexpr (NamedEnum<T> && (std::same_as<Rules, Required> || ...))
      add_line(path_ + name, format(std::string()), help);  // it has no default
    else
      describe(path_ + name, value, help);
  }
  std::string text() const { return text_; }

 private:
  template <class T>
  void describe(const std::string& key, T& value, const char* help) {
    if constexpr (Section<T>) {
      Helper inner(key + ".");
      value.visit(inner);
      text_ += inner.text_;
    } else {
      add_line(key, Writer::write(value), help);
    }
  }
  void describe(const std::string& key, Size& value, const char* help);
  template <Section T>
  void describe(const std::string& key, std::vector<T>&, const char*) {
    T item;
    describe(key + ".N", item, "");
  }
  template <Section T>
  void describe(const std::string& key, std::optional<T>&, const char*) {
    T item;
    describe(key, item, "");
  }
  void add_line(const std::string& key, const Tree& value, const char* help);

  std::string path_;
  std::string text_;
};

// Gives every path of a configuration that is not empty, with its key ("data.sets.0.annotations"),
// to `change`, and puts what that returns in its place.
class PathChanger {
 public:
  using Change = std::function<std::string(const std::string& key, const std::string& path)>;
  PathChanger(const Change& change, std::string where)
      : change_(change), where_(std::move(where)) {}

  template <class T, class... Rules>
  void operator()(const char* name, T& value, const char* /*help*/, const Rules&...) {
    if constexpr (kIsPath<Rules...>) {
      if (!value.empty()) value = change_(where_ + name, value);
    } else {
      enter(where_ + name, value);
    }
  }

 private:
  template <class T>
  void enter(const std::string& key, T& value) {
    if constexpr (Section<T>) value.visit(PathChanger(change_, key + "."));
  }
  template <Section T>
  void enter(const std::string& key, std::vector<T>& values) {
    for (std::size_t i = 0; i < values.size(); ++i) enter(key + "." + std::to_string(i), values[i]);
  }
  template <Section T>
  void enter(const std::string& key, std::optional<T>& value) {
    if (value) enter(key, *value);
  }

  const Change& change_;
  std::string where_;
};

template <Section T>
void change_paths(T& config, const PathChanger::Change& change) {
  config.visit(PathChanger(change, ""));
}

// Reads a whole configuration. Throws UserError naming file, line and key.
template <Section T>
T read(const Tree& root) {
  T config;
  Reader::read(root, "", config);
  return config;
}

// The complete configuration, defaults included, as YAML that reads back to the same value.
template <Section T>
std::string dump(T config) {
  return to_yaml(Writer::write(config));
}

// Every key of a configuration, as Helper describes it.
template <Section T>
std::string help() {
  T config;
  Helper helper;
  config.visit(helper);
  return helper.text();
}

}  // namespace vllama::config
