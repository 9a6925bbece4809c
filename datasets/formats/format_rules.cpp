#include "datasets/formats/format_rules.h"

#include <fmt/format.h>

#include <filesystem>

#include "datasets/shards/shards.h"

namespace vllama::datasets {

std::vector<std::string> broken_format_rules(const DatasetConfig& set) {
  const DatasetFormat* format = find_dataset_format(set.format);
  if (format == nullptr)
    return {fmt::format("data set '{}': {}", set.name, no_such_format(set.format))};
  std::vector<std::string> broken;
  if (!set.image_prefix.empty() && !format->takes_image_prefix)
    broken.push_back(
        fmt::format("data set '{}': image_prefix is for the format llava_instruct", set.name));
  if (set.media_root.empty() != format->holds_media)
    broken.push_back(fmt::format("data set '{}': {}", set.name,
                                 set.media_root.empty()
                                     ? "media_root is missing"
                                     : "media_root must be left out, the media are in the shards"));
  return broken;
}

std::vector<std::string> broken_root_rules(const DatasetConfig& set) {
  namespace fs = std::filesystem;
  std::error_code ignored;
  const std::string& root = set.media_root;
  if (root.empty() || names_shards(root) || fs::is_directory(root, ignored)) return {};
  return {fmt::format(
      "data set '{}': media_root '{}' {}; name the folder that the paths in '{}' begin in",
      set.name, root, fs::exists(root, ignored) ? "is no folder" : "does not exist",
      set.annotations)};
}

}  // namespace vllama::datasets
