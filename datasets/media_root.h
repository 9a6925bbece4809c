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

#include "datasets/shards.h"

namespace vllama::datasets {

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
  // shards cannot be read.
  static MediaRoot open(const std::string& text, const IndexFolder& indexes);

  // The medium that annotations call `name`. Whether it is there shows when it is opened; of a
  // folder nothing is looked at.
  media::FileRange file(const std::filesystem::path& name) const;
  // The first `<stem>.<extension>` that is there, or nothing.
  std::optional<media::FileRange> find(const std::filesystem::path& stem,
                                       std::span<const std::string_view> extensions) const;

  // Null for a folder.
  const Shards* shards() const { return shards_.get(); }

 private:
  bool has(const std::filesystem::path& name) const;

  std::filesystem::path folder_;
  std::shared_ptr<const Shards> shards_;
  std::int64_t preferred_shard_ = -1;
};

}  // namespace vllama::datasets
