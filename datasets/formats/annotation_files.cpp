#include "datasets/formats/annotation_files.h"

#include "datasets/readers/csv_dataset.h"
#include "datasets/shards/shards.h"

namespace vllama::datasets {

std::vector<std::filesystem::path> annotation_files(const DatasetConfig& config) {
  if (dataset_format(config.format).holds_media) return shard_files(config.annotations);
  std::error_code error;
  if (std::filesystem::is_directory(config.annotations, error))
    return csv_files(config.annotations);
  return {config.annotations};
}

}  // namespace vllama::datasets
