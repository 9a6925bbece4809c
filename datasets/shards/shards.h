// Tar shards as one store of members, found by number or by name through an index.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "datasets/index/index_file.h"
#include "media/file_range.h"

namespace vllama::datasets {

// True for what names shards: it ends in .tar, and is no folder.
bool names_shards(const std::string& text);

// True for what names compressed archives, or those of another kind (.tar.gz, .tgz, .zip, ...), and
// is no folder.
bool names_compressed_shards(const std::string& text);

// The files that `text` names, in order: "train-{00000..00099}.tar" counts up in braces, as many
// digits wide as the first number; "*" in the file's name stands for anything, and the files are
// sorted by name; a folder stands for all its *.tar. Throws UserError if there is none, if one of a
// counted series is not there, or if the braces cannot be read.
std::vector<std::filesystem::path> shard_files(const std::string& text);

// A name as it is looked for: "./a//b/../c.mp4" is "a/c.mp4".
std::string member_name(const std::string& name);

class Shards {
 public:
  // Reads the headers of all shards, for the index. Throws UserError as shard_files() and TarReader
  // do.
  Shards(const std::string& text, const IndexFolder& indexes);

  // What the shards were opened as, and the files.
  const std::string& text() const { return text_; }
  const std::vector<std::filesystem::path>& files() const { return files_; }

  // Files of all shards by number, in the order of shards and headers.
  std::int64_t num_members() const { return static_cast<std::int64_t>(members_.size()); }
  std::string_view name(std::int64_t member) const {
    return names_[static_cast<std::size_t>(member)];
  }
  std::int64_t shard(std::int64_t member) const;
  media::FileRange range(std::int64_t member) const;
  // The number of the first member of a shard; that of all of them for the shard behind the last.
  std::int64_t first_member(std::int64_t shard) const;

  // The member of that name: of several, one in the shard `preferred` if there is, and of these the
  // last, as unpacking would leave it. `name` is as member_name() gives it.
  std::optional<std::int64_t> find(std::string_view name, std::int64_t preferred = -1) const;

  // Members that are no files: link_member, special_member, sparse_member, unknown_member. Folders
  // are passed over without a word.
  const tables::InvalidEntries& invalid() const { return entries_.invalid; }
  // Names that occur twice in a shard: duplicate_member.
  const tables::DoubtfulEntries& doubtful() const { return entries_.doubtful; }

 private:
  struct Member {
    std::uint64_t offset_bytes, num_bytes;
  };
  struct NameHash {
    std::uint64_t hash, member;
  };
  class Indexer;

  std::string text_;
  std::vector<std::filesystem::path> files_;
  Index index_;
  std::span<const Member> members_;
  TextArray names_;                            // of the members
  std::span<const std::uint64_t> shard_ends_;  // number of members up to the end of a shard
  std::span<const NameHash> by_name_;          // sorted
  tables::EntryTallies entries_;
};

}  // namespace vllama::datasets
