// Where the media of a data set are: in a folder, or in tar shards.
#pragma once

#include <concepts>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "datasets/entries/record.h"
#include "datasets/shards/shards.h"

namespace vllama::datasets {

// True if there is something to open where a medium is said to lie.
bool is_there(const media::FileRange& source);

class MediaRoot {
 public:
  // The files below a folder.
  template <class Path>
  requires std::convertible_to<Path, std::filesystem::path> MediaRoot(Path&& folder)
      : folder_(std::forward<Path>(folder)) {}
  // The members of shards, those of the shard `preferred` first. Absolute names are files outside
  // of them, as in a folder.
  explicit MediaRoot(std::shared_ptr<const Shards> shards, std::int64_t preferred = -1)
      : shards_(std::move(shards)), preferred_shard_(preferred) {}
  // As data.sets.N.media_root says: shards if it names some, else a folder. Throws UserError if the
  // shards cannot be read, or if it is a file of another kind, as a .tar.gz.
  static MediaRoot open(const std::string& text, const IndexFolder& indexes);

  // The medium that annotations call `name`. Whether it is there shows when it is opened; of a
  // folder nothing is looked at.
  media::FileRange file(const std::filesystem::path& name) const;
  // The first `<stem>.<extension>` that is there, in lower or upper case, or nothing.
  std::optional<media::FileRange> find(const std::filesystem::path& stem,
                                       std::span<const std::string_view> extensions) const;
  // The file `name`, or nothing if it is not there. A folder is no file.
  std::optional<media::FileRange> find(const std::filesystem::path& name) const;
  // The file that annotations call `name`: as it is written or, if the name has no extension of
  // media and no file is called so, with the first of `extensions` that is there. If none is, the
  // name itself, or with `expected` appended, and all names that were tried.
  samples::MediaFile find_named(const std::filesystem::path& name, MediaKind kind,
                                std::span<const std::string_view> extensions,
                                std::string_view expected = {}) const;
  // The same for the media of a record that have the names of their annotation.
  void find_extensions(Record& record) const;

  // Null for a folder.
  const Shards* shards() const { return shards_.get(); }

 private:
  std::filesystem::path folder_;
  std::shared_ptr<const Shards> shards_;
  std::int64_t preferred_shard_ = -1;
};

}  // namespace vllama::datasets
