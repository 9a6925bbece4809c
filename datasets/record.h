// One entry of a data set before its media are opened.
#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "text/conversation.h"

namespace vllama::datasets {

enum class MediaKind { video, image, sound };

struct MediaFile {
  std::filesystem::path path;
  MediaKind kind = MediaKind::video;
  // The part of a video or sound that is meant: from `start_seconds` to `end_seconds`, by default
  // all of it.
  double start_seconds = 0;
  double end_seconds = std::numeric_limits<double>::infinity();
};

struct Record {
  std::string id;
  std::vector<MediaFile> media;  // at least one
  // Either a caption, or with one place for each medium.
  text::Conversation conversation;
};

// Entries of annotation files that are worth a word, counted by reason.
class EntryTally {
 public:
  struct Entry {
    std::string reason;  // a stable lower-case name, "missing_caption"
    std::string place;   // "file:line"
    std::string detail;  // what is wrong in this entry, where the reason does not say it all
  };

  void add(std::string_view reason, std::string place, std::string detail = {});

  std::int64_t total() const;
  const std::map<std::string, std::int64_t>& count_of_reason() const { return count_of_reason_; }
  // The first kMaxListed of them, in the order of the file.
  const std::vector<Entry>& listed() const { return listed_; }
  // "2 missing_caption, 1 not_utf8, the first at train.csv:7" and its detail; empty if there are
  // none.
  std::string summary() const;

  static constexpr std::size_t kMaxListed = 100;

 private:
  std::map<std::string, std::int64_t> count_of_reason_;
  std::vector<Entry> listed_;
};

using InvalidEntries = EntryTally;  // cannot become records
using OddEntries = EntryTally;      // are records, though something in them is likely a mistake

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
