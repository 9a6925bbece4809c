#include "datasets/readers/open_dataset.h"

#include <fmt/format.h>

#include "core/broken_rules.h"
#include "core/error.h"
#include "core/log.h"
#include "datasets/readers/audiocaps.h"
#include "datasets/readers/cc595k.h"
#include "datasets/readers/cc_sbu_align.h"
#include "datasets/readers/clotho.h"
#include "datasets/readers/format_rules.h"
#include "datasets/readers/llava_instruct.h"
#include "datasets/readers/video_instruct_100k.h"
#include "datasets/readers/videochat_instruct.h"
#include "datasets/readers/vllama_dataset.h"
#include "datasets/readers/webdataset.h"
#include "datasets/readers/webvid.h"

namespace vllama::datasets {
namespace {

MediaRoot open_media(const DatasetConfig& config, const IndexFolder& indexes) {
  MediaRoot root = MediaRoot::open(config.media_root, indexes);
  if (const Shards* shards = root.shards()) {
    log::info("data set {}: {} members in {} shards", config.name, shards->num_members(),
              shards->files().size());
    if (shards->invalid().total() > 0)
      log::warn("data set {}: {} members of its shards are no files: {}", config.name,
                shards->invalid().total(), shards->invalid().summary());
    if (shards->odd().total() > 0)
      log::warn("data set {}: {} members of its shards replace others: {}", config.name,
                shards->odd().total(), shards->odd().summary());
  }
  return root;
}

std::unique_ptr<Dataset> open_format(const DatasetConfig& config, const IndexFolder& indexes,
                                     const std::string& compat) {
  const std::string &format = config.format, &annotations = config.annotations;
  if (format == "webdataset") return std::make_unique<WebDataset>(annotations, indexes);
  const MediaRoot root = open_media(config, indexes);
  if (format == "webvid") return std::make_unique<WebVid>(annotations, root, indexes);
  if (format == "cc_sbu_align") return open_cc_sbu_align(annotations, root, indexes);
  if (format == "cc595k") return open_cc595k(annotations, root, indexes);
  if (format == "llava_instruct" || format == "llava_video")
    return open_llava_instruct(annotations, root, config.image_prefix, indexes, format);
  if (format == "videochat_instruct")
    return open_videochat_instruct(
        annotations, root, indexes,
        compat == "reference" ? Instructions::pass_over : Instructions::read);
  if (format == "video_instruct_100k") return open_video_instruct_100k(annotations, root, indexes);
  if (format == "audiocaps") return open_audiocaps(annotations, root, indexes);
  if (format == "clotho") return open_clotho(annotations, root, indexes);
  if (format == "vllama") return std::make_unique<VllamaDataset>(annotations, root, indexes);
  throw UserError(fmt::format(
      "data set '{}': no reader for the format '{}'; there are webvid, cc_sbu_align, cc595k, "
      "llava_instruct, llava_video, videochat_instruct, video_instruct_100k, audiocaps, clotho, "
      "vllama, "
      "webdataset",
      config.name, format));
}

}  // namespace

std::unique_ptr<Dataset> open_dataset(const DatasetConfig& config, const IndexFolder& indexes,
                                      const std::string& compat) {
  require_none(broken_format_rules(config));
  auto dataset = open_format(config, indexes, compat);
  log::info("data set {}: {} entries", config.name, dataset->size());
  if (dataset->invalid().total() > 0)
    log::warn("data set {}: {} invalid entries left out: {}", config.name,
              dataset->invalid().total(), dataset->invalid().summary());
  if (dataset->odd().total() > 0)
    log::warn("data set {}: {} odd entries kept: {}", config.name, dataset->odd().total(),
              dataset->odd().summary());
  return dataset;
}

bool has_conversations(const std::string& format) {
  static const std::set<std::string> captions{"webvid", "cc_sbu_align", "cc595k", "audiocaps",
                                              "clotho"};
  return !captions.contains(format);
}

}  // namespace vllama::datasets
