// Finds the media that annotations name, with or without an extension.
#pragma once

#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "datasets/entries/record.h"
#include "datasets/index/index_folder.h"
#include "datasets/shards/media_root.h"

namespace vllama::eval {

class MediaFinder {
 public:
  // `root` as datasets.media_root says. Throws UserError if it is empty or cannot be opened.
  MediaFinder(const std::string& root, const datasets::IndexFolder& indexes);

  // The file `name` below the root or, if it has no extension of media, `name` with a usual one; or
  // nothing. By the extension it is a video, image or sound; a name without a known one is a video.
  std::optional<samples::MediaFile> find(const std::filesystem::path& name);
  // The first of several that is there.
  std::optional<samples::MediaFile> find_any(const std::vector<std::filesystem::path>& names);

  // The names that were looked for in vain where the first medium was not found; empty if all were.
  const std::string& first_tried() const { return first_tried_; }

  // Media files directly in the folder that were not found by any name; 0 for shards.
  std::int64_t num_unused() const;

 private:
  std::optional<media::FileRange> source_of(const std::filesystem::path& name) const;

  std::string folder_;  // empty for shards
  datasets::MediaRoot root_;
  std::set<std::string> found_;
  std::string first_tried_;
};

}  // namespace vllama::eval
