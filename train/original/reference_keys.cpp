#include "train/original/reference_keys.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "config/fields.h"
#include "core/error.h"

namespace vllama::train {

ReferenceKeys::ReferenceKeys(const config::Tree& root) {
  collect(root, "");
}

void ReferenceKeys::collect(const config::Tree& tree, const std::string& key) {
  if (tree.kind == config::Tree::Kind::null) return;
  if (tree.kind != config::Tree::Kind::map) {
    leaves_.emplace(key, &tree);
    order_.push_back(key);
    return;
  }
  for (const auto& [name, value] : tree.entries)
    collect(value, key.empty() ? name : key + "." + name);
}

std::string ReferenceKeys::at(const std::string& key) const {
  const auto leaf = leaves_.find(key);
  return leaf == leaves_.end() ? key : fmt::format("{}: {}", leaf->second->source, key);
}

const config::Tree* ReferenceKeys::carry(const std::string& key) {
  seen_.insert(key);
  const auto leaf = leaves_.find(key);
  return leaf == leaves_.end() ? nullptr : leaf->second;
}

std::string ReferenceKeys::text(const std::string& key, const std::string& fallback) {
  const config::Tree* value = carry(key);
  if (value == nullptr) return fallback;
  if (value->kind == config::Tree::Kind::scalar) return value->scalar;
  problem(key, "must be one value");
  return fallback;
}

bool ReferenceKeys::truth(const std::string& key, bool fallback) {
  const config::Tree* value = carry(key);
  if (value == nullptr) return fallback;
  try {
    config::parse(*value, key, fallback);
  } catch (const UserError&) {
    problem(key, "must be true or false");
  }
  return fallback;
}

void ReferenceKeys::leave_out(const std::string& key, const std::string& reason) {
  if (!key.ends_with('.')) return leave_out_one(key, reason);
  for (const std::string& leaf : order_)
    if (leaf.starts_with(key)) leave_out_one(leaf, reason);
}

// A key of the file may itself end with a dot.
void ReferenceKeys::leave_out_one(const std::string& key, const std::string& reason) {
  if (has(key) && seen_.insert(key).second) add_note(key, reason);
}

void ReferenceKeys::must_be(const std::string& key, const std::vector<std::string>& allowed,
                            const std::string& reason) {
  if (!has(key)) return;
  const std::string value = text(key, "");
  if (std::ranges::find(allowed, value) != allowed.end())
    add_note(key, fmt::format("must be '{}', as it is: {}", value, reason));
  else
    problem(key,
            fmt::format("must be '{}', not '{}': {}", fmt::join(allowed, "' or '"), value, reason));
}

void ReferenceKeys::must_be_truth(const std::string& key, bool allowed, const std::string& reason) {
  if (!has(key)) return;
  if (truth(key, allowed) == allowed)
    add_note(key, fmt::format("must be {}, as it is: {}", allowed, reason));
  else
    problem(key, fmt::format("must be {}: {}", allowed, reason));
}

void ReferenceKeys::problem(const std::string& key, const std::string& what) {
  problems_.push_back(fmt::format("{}: {}", at(key), what));
}

void ReferenceKeys::add_note(const std::string& key, const std::string& what) {
  notes_.push_back(fmt::format("{}: {}", at(key), what));
}

void ReferenceKeys::note_stand_ins() {
  for (const std::string& key : order_) {
    const std::string& value = leaves_.at(key)->scalar;
    if (value.starts_with("path/") || value.starts_with("/path/"))
      add_note(key, fmt::format("'{}' stands for a path of your own: fill it in", value));
  }
}

void ReferenceKeys::leave_out_unknown() {
  for (const std::string& key : order_)
    leave_out_one(key, "not supported: the original has no such key");
}

void ReferenceKeys::throw_problems(const std::string& name) const {
  if (!problems_.empty())
    throw UserError(
        fmt::format("'{}' cannot be imported:\n  {}", name, fmt::join(problems_, "\n  ")));
}

}  // namespace vllama::train
