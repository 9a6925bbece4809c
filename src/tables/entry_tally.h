// Entries of a data set's files that are worth a word, counted by reason.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace vllama::tables {

class EntryTally {
 public:
  struct Entry {
    std::string reason;  // a stable lower-case name, "missing_caption"
    std::string place;   // "file:line"
    // What is wrong in this entry, where the reason does not say it all; at most kMaxDetailBytes.
    std::string detail;

    bool operator==(const Entry&) const = default;
  };

  EntryTally() = default;
  // As it was, from its parts.
  EntryTally(std::map<std::string, std::int64_t> count_of_reason, std::vector<Entry> listed)
      : count_of_reason_(std::move(count_of_reason)), listed_(std::move(listed)) {}

  void add(std::string_view reason, std::string place, std::string detail = {});
  // All entries of another, behind those that are there.
  void add(const EntryTally& other);

  std::int64_t total() const;
  const std::map<std::string, std::int64_t>& count_of_reason() const { return count_of_reason_; }
  // The first kMaxListed of them, in the order of the file.
  const std::vector<Entry>& listed() const { return listed_; }
  // "2 missing_caption, 1 not_utf8, the first at train.csv:7" and its detail; empty if there are
  // none.
  std::string summary() const;

  bool operator==(const EntryTally&) const = default;

  static constexpr std::size_t kMaxListed = 100;
  static constexpr std::size_t kMaxDetailBytes = 300;

 private:
  std::map<std::string, std::int64_t> count_of_reason_;
  std::vector<Entry> listed_;
};

using InvalidEntries = EntryTally;   // cannot become records
using DoubtfulEntries = EntryTally;  // are records, though something in them is likely a mistake

struct EntryTallies {
  InvalidEntries invalid;
  DoubtfulEntries doubtful;
};

}  // namespace vllama::tables
