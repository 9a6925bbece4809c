// Finds the media that annotations name, with or without an extension.
#pragma once

#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "datasets/index_folder.h"
#include "datasets/media_root.h"
#include "datasets/record.h"

namespace vllama::eval {

// By the extension; a name without a known one is a video.
datasets::MediaKind media_kind(const std::filesystem::path& name);

class MediaFinder {
 public:
  // `root` as datasets.media_root says. Throws UserError if it is empty or cannot be opened.
  MediaFinder(const std::string& root, const datasets::IndexFolder& indexes);

  // The file `name` below the root, or `name` with a usual extension, or nothing.
  std::optional<datasets::MediaFile> find(const std::filesystem::path& name);
  // The first of several that is there.
  std::optional<datasets::MediaFile> find_any(const std::vector<std::filesystem::path>& names);

  // Media files directly in the folder that were not found by any name; 0 for shards.
  std::int64_t num_unused() const;

 private:
  std::optional<media::FileRange> exactly(const std::filesystem::path& name) const;

  std::string folder_;  // empty for shards
  datasets::MediaRoot root_;
  std::set<std::string> found_;
};

}  // namespace vllama::eval
