#include "datasets/formats/open_dataset.h"

#include "core/broken_rules.h"
#include "core/log.h"
#include "datasets/formats/format_rules.h"
#include "datasets/shards/media_root.h"

namespace vllama::datasets {
namespace fs = std::filesystem;
namespace {

MediaRoot open_media(const DatasetConfig& config, const IndexFolder& indexes) {
  MediaRoot root = MediaRoot::open(config.media_root, indexes);
  if (const Shards* shards = root.shards()) {
    log::info("data set {}: {} members in {} shards", config.name, shards->num_members(),
              shards->files().size());
    if (shards->invalid().total() > 0)
      log::warn("data set {}: {} members of its shards are no files: {}", config.name,
                shards->invalid().total(), shards->invalid().summary());
    if (shards->doubtful().total() > 0)
      log::warn("data set {}: {} members of its shards replace others: {}", config.name,
                shards->doubtful().total(), shards->doubtful().summary());
  }
  return root;
}

std::unique_ptr<Dataset> open_format(const DatasetConfig& config, const IndexFolder& indexes,
                                     samples::CompatPreset compat) {
  const DatasetFormat& format = dataset_format(config.format);
  const MediaRoot media = format.holds_media ? MediaRoot(fs::path()) : open_media(config, indexes);
  return format.open({config, media, indexes, compat == samples::CompatPreset::reference});
}

}  // namespace

std::unique_ptr<Dataset> open_dataset(const DatasetConfig& config, const IndexFolder& indexes,
                                      samples::CompatPreset compat) {
  require_none(broken_format_rules(config));
  auto dataset = open_format(config, indexes, compat);
  log::info("data set {}: {} entries", config.name, dataset->size());
  if (dataset->invalid().total() > 0)
    log::warn("data set {}: {} invalid entries left out: {}", config.name,
              dataset->invalid().total(), dataset->invalid().summary());
  if (dataset->doubtful().total() > 0)
    log::warn("data set {}: {} odd entries kept: {}", config.name, dataset->doubtful().total(),
              dataset->doubtful().summary());
  return dataset;
}

}  // namespace vllama::datasets
