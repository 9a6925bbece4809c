// The keys of a configuration of the Python original, each of which must be accounted for.
#pragma once

#include <array>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "config/tree.h"

namespace vllama::train {

// Values of model.model_type: "pretrain_", and the family of prompts.
inline constexpr std::array kReferenceModelTypes{"pretrain_vicuna", "pretrain_llama_v2"};

// Keys are written with dots: "run.init_lr". A key whose value is null counts as absent.
class ReferenceKeys {
 public:
  // `root` must outlive the keys.
  explicit ReferenceKeys(const config::Tree& root);

  // The value, which from now on counts as carried; null if it is absent.
  const config::Tree* carry(const std::string& key);
  // The same for a single value, with what stands for an absent one.
  std::string text(const std::string& key, const std::string& fallback);
  bool truth(const std::string& key, bool fallback);

  bool has(const std::string& key) const { return leaves_.contains(key); }
  // Names the key, if it is there, as one that is not carried. A key that ends with a dot stands
  // for all that begin with it.
  void leave_out(const std::string& key, const std::string& reason);
  // Not carried, because there is no choice; a problem if the value is none of `allowed`.
  void must_be(const std::string& key, const std::vector<std::string>& allowed,
               const std::string& reason);
  void must_be_truth(const std::string& key, bool allowed, const std::string& reason);
  // Stops the import; all problems are told together.
  void problem(const std::string& key, const std::string& what);
  void add_note(const std::string& key, const std::string& what);

  // Names all values that are paths of nothing, as the published files have them: "path/videos".
  void note_stand_ins();
  // Names all keys that were not spoken of so far.
  void leave_out_unknown();
  // Throws UserError that lists all problems, if there are any.
  void throw_problems(const std::string& name) const;
  const std::vector<std::string>& notes() const { return notes_; }

 private:
  void leave_out_one(const std::string& key, const std::string& reason);
  void collect(const config::Tree& tree, const std::string& key);
  std::string at(const std::string& key) const;

  std::map<std::string, const config::Tree*> leaves_;
  std::vector<std::string> order_;  // of the file
  std::set<std::string> seen_;
  std::vector<std::string> notes_, problems_;
};

}  // namespace vllama::train
