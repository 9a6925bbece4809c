// WebDataset: tar shards whose members make samples, each with its media and its text.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "datasets/entries/record.h"
#include "datasets/index/index_file.h"
#include "datasets/shards/shards.h"

namespace vllama::datasets {

// The members of a shard whose names are equal up to the first dot of the last part are a sample,
// whether or not they stand together. Samples come in the order of the shards and of their first
// members. A sample is either
//  - one medium, told by its extension, with a caption: its .txt, without white space at both ends,
//    or "caption" of its .json; the name up to the dot is the id; or
//  - a .json with a line of our own format (vllama_line.h), whose media are members of the shards,
//    in the same shard or in another.
//
// A sample is invalid for missing_caption, missing_media, many_media, duplicate_member (two with
// the same extension), unknown_extension (no medium, but something unknown), missing_id, not_utf8,
// not_json, too_large (a text of more than 16 MiB), wrong_type, bad_path (a medium outside the
// shards), and the reasons of record_from_line(); members that are no files are counted as in
// Shards. Odd are duplicate_id, duplicate_key, unknown_extension and not_json beside all that is
// needed, and duplicate_member.
class WebDataset : public Dataset {
 public:
  // `shards` as in shard_files(). Reads every header and every text once, for the index. Throws
  // UserError if a shard is broken, or if not one sample is valid.
  WebDataset(const std::string& shards, const IndexFolder& indexes = {});

  std::int64_t size() const override { return static_cast<std::int64_t>(sample_ends_.size()); }
  Record record(std::int64_t index) const override;
  const tables::InvalidEntries& invalid() const override { return entries_.invalid; }
  const tables::DoubtfulEntries& doubtful() const override { return entries_.doubtful; }

 private:
  class Indexer;

  std::shared_ptr<const Shards> shards_;
  Index index_;
  std::span<const std::uint64_t> sample_members_;  // of the valid samples, one after the other
  std::span<const std::uint64_t> sample_ends_;     // of each, in sample_members_
  tables::EntryTallies entries_;
};

}  // namespace vllama::datasets
