// What every reader does with an entry when it opens a data set: count it, with a reason, if it is
// no record or is an odd one.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "datasets/entries/record.h"
#include "datasets/entries/seen_ids.h"

namespace vllama::datasets {

// Whether an id may stand for several records, as the id of an image does.
enum class Ids { may_repeat, unique };

class EntryCheck {
 public:
  // `tallies` must outlive the check.
  EntryCheck(Ids ids, tables::EntryTallies& tallies) : ids_(ids), tallies_(tallies) {}

  // True if `read` returns a record, false if it throws EntryError or text::TextError, which is
  // counted.
  bool accept(const std::string& place, const std::function<Record()>& read);
  // Counts an accepted entry that has a key twice, if `key` is not empty.
  void note_repeated_key(const std::string& place, std::string_view key);

 private:
  Ids ids_;
  tables::EntryTallies& tallies_;
  SeenIds seen_;
};

}  // namespace vllama::datasets
