#include "datasets/open_dataset.h"

#include <fmt/format.h>

#include "core/error.h"
#include "core/log.h"
#include "datasets/cc595k.h"
#include "datasets/cc_sbu_align.h"
#include "datasets/webvid.h"

namespace vllama::datasets {
namespace {

std::unique_ptr<Dataset> open_format(const DatasetConfig& config) {
  if (config.format == "webvid")
    return std::make_unique<WebVid>(config.annotations, config.media_root);
  if (config.format == "cc_sbu_align")
    return open_cc_sbu_align(config.annotations, config.media_root);
  if (config.format == "cc595k") return open_cc595k(config.annotations, config.media_root);
  throw UserError(
      fmt::format("data set '{}': no reader for the format '{}'", config.name, config.format));
}

}  // namespace

std::unique_ptr<Dataset> open_dataset(const DatasetConfig& config) {
  auto dataset = open_format(config);
  log::info("data set {}: {} entries", config.name, dataset->size());
  if (dataset->invalid().total() > 0)
    log::warn("data set {}: {} invalid entries left out: {}", config.name,
              dataset->invalid().total(), dataset->invalid().summary());
  return dataset;
}

bool has_conversations(const std::string& format) {
  static const std::set<std::string> captions{"webvid", "cc_sbu_align", "cc595k", "audiocaps",
                                              "clotho"};
  return !captions.contains(format);
}

}  // namespace vllama::datasets
