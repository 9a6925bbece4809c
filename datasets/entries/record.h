// One entry of a data set before its media are opened.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "samples/media_file.h"
#include "tables/entry_tally.h"
#include "text/conversation.h"

namespace vllama::datasets {

struct Record {
  std::string id;
  std::vector<samples::MediaFile> media;  // at least one
  // Either a caption, or with one place for each medium.
  text::Conversation conversation;
};

// A data set: its valid entries by number.
class Dataset {
 public:
  virtual ~Dataset() = default;

  virtual std::int64_t size() const = 0;
  // Entry `index` of [0, size()), in the order of the annotation files. May be called from several
  // threads at once. Throws RunFailure if the file changed since it was indexed.
  virtual Record record(std::int64_t index) const = 0;
  virtual const tables::InvalidEntries& invalid() const = 0;
  // Entries that are kept, with a warning: duplicate_id (an id seen before, where ids are meant to
  // differ), duplicate_key (a JSON object names a key twice; the last value counts).
  virtual const tables::DoubtfulEntries& doubtful() const;
};

}  // namespace vllama::datasets
