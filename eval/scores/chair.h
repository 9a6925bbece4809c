// Objects that captions name although they are not there: CHAIR (Rohrbach et al. 2018).
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "eval/scores/measurement.h"

namespace vllama::eval {

// Names of objects, several for each.
class ObjectNames {
 public:
  // One object per line: its names, separated by commas, the first one standing for it. Lower and
  // upper case do not matter; empty lines are passed over. Throws UserError with file and line for
  // empty names, for a name of two objects, and for a file without objects.
  static ObjectNames read(const std::filesystem::path& path);

  // The object with this name, empty if there is none.
  std::string object(const std::string& name) const;
  // The objects that a caption mentions, in its order, with repetitions. At each place the longest
  // name counts. A word may also stand in the plural: with s or es at its end, or ies for y.
  std::vector<std::string> mentioned(const std::string& caption) const;

 private:
  std::unordered_map<std::string, std::string> object_of_name_;  // names as words of a caption
  std::size_t most_words_ = 0;                                   // of a name
};

// "chair_instance": mentions of objects that are not there, divided by all mentions (0 without
// any); "chair_sentence": share of captions with such a mention. Lower is better. `objects` holds
// what is in the medium, by prediction id. A missing caption has no mention, and counts as one with
// such a mention. Throws UserError naming an id without objects, or an object that has no names.
std::vector<Measurement> chair(const std::vector<Prediction>& predictions,
                               const std::map<std::string, std::vector<std::string>>& objects,
                               const ObjectNames& names);

}  // namespace vllama::eval
