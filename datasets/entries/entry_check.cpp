#include "datasets/entries/entry_check.h"

#include <fmt/format.h>

#include "tables/entry_error.h"
#include "text/error.h"

namespace vllama::datasets {

bool EntryCheck::accept(const std::string& place, const std::function<Record()>& read) {
  std::string id;
  try {
    id = read().id;
  } catch (const tables::EntryError& error) {
    tallies_.invalid.add(error.reason, place, error.what());
    return false;
  } catch (const text::TextError& error) {
    tallies_.invalid.add(text::failure_name(error.reason), place, error.what());
    return false;
  }
  if (ids_ == Ids::unique && !seen_.add(id))
    tallies_.doubtful.add("duplicate_id", place, fmt::format("'{}' occurred before", id));
  return true;
}

void EntryCheck::note_repeated_key(const std::string& place, std::string_view key) {
  if (key.empty()) return;
  tallies_.doubtful.add("duplicate_key", place, fmt::format("'{}' occurs twice", key));
}

}  // namespace vllama::datasets
