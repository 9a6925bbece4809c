// One entry of a data set before its media are opened.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "datasets/entries/entry_tally.h"
#include "media/file_range.h"
#include "text/conversation.h"

namespace vllama::datasets {

enum class MediaKind { video, image, sound };

struct MediaFile {
  media::FileRange source;
  MediaKind kind = MediaKind::video;
  // The part of a video or sound that is meant: from `start_seconds` to `end_seconds`, by default
  // all of it.
  double start_seconds = 0;
  double end_seconds = std::numeric_limits<double>::infinity();
  // All names that were looked for, "v_abc, v_abc.mp4, ...", where there was more than one and none
  // was there.
  std::string tried = {};
};

struct Record {
  std::string id;
  std::vector<MediaFile> media;  // at least one
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
  virtual const InvalidEntries& invalid() const = 0;
  // Entries that are kept, with a warning: duplicate_id (an id seen before, where ids are meant to
  // differ), duplicate_key (a JSON object names a key twice; the last value counts).
  virtual const OddEntries& odd() const;
};

}  // namespace vllama::datasets
