#include "datasets/formats/dataset_formats.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/error.h"
#include "core/named_rows.h"
#include "datasets/formats/data_config.h"
#include "datasets/readers/audiocaps.h"
#include "datasets/readers/cc595k.h"
#include "datasets/readers/cc_sbu_align.h"
#include "datasets/readers/clotho.h"
#include "datasets/readers/llava_instruct.h"
#include "datasets/readers/video_instruct_100k.h"
#include "datasets/readers/videochat_instruct.h"
#include "datasets/readers/vllama_dataset.h"
#include "datasets/readers/webdataset.h"
#include "datasets/readers/webvid.h"

namespace vllama::datasets {
namespace {

using Opened = std::unique_ptr<Dataset>;

// The readers that need no more than where everything is.
template <auto open_annotations>
Opened open_with(const DatasetSource& from) {
  return open_annotations(from.config.annotations, from.media, from.indexes);
}

template <class Reader>
Opened open_as(const DatasetSource& from) {
  return std::make_unique<Reader>(from.config.annotations, from.media, from.indexes);
}

Opened open_llava(const DatasetSource& from) {
  return open_llava_instruct(from.config.annotations, from.media, from.config.image_prefix,
                             from.indexes, from.config.format);
}

Opened open_videochat(const DatasetSource& from) {
  return open_videochat_instruct(from.config.annotations, from.media, from.indexes,
                                 from.as_reference ? Instructions::pass_over : Instructions::read);
}

Opened open_webdataset(const DatasetSource& from) {
  return std::make_unique<WebDataset>(from.config.annotations, from.indexes);
}

constexpr DatasetFormat kFormats[] = {
    {.name = "webvid", .open = open_as<WebVid>},
    {.name = "cc_sbu_align", .open = open_with<open_cc_sbu_align>},
    {.name = "cc595k", .open = open_with<open_cc595k>},
    {.name = "llava_instruct",
     .open = open_llava,
     .has_conversations = true,
     .takes_image_prefix = true},
    {.name = "llava_video", .open = open_llava, .has_conversations = true},
    {.name = "videochat_instruct", .open = open_videochat, .has_conversations = true},
    {.name = "video_instruct_100k",
     .open = open_with<open_video_instruct_100k>,
     .has_conversations = true},
    {.name = "audiocaps", .open = open_with<open_audiocaps>},
    {.name = "clotho", .open = open_with<open_clotho>},
    {.name = "vllama", .open = open_as<VllamaDataset>, .has_conversations = true, .is_own = true},
    {.name = "webdataset",
     .open = open_webdataset,
     .has_conversations = true,
     .is_own = true,
     .holds_media = true},
};

}  // namespace

const DatasetFormat* find_dataset_format(const std::string& name) {
  return row_named(kFormats, name);
}

const DatasetFormat& dataset_format(const std::string& name) {
  if (const DatasetFormat* found = find_dataset_format(name)) return *found;
  throw UserError(no_such_format(name));
}

std::string no_such_format(const std::string& name) {
  return fmt::format("no reader for the format '{}'; there are {}", name,
                     fmt::join(dataset_format_names(), ", "));
}

std::vector<std::string> dataset_format_names() {
  return names_of_rows(kFormats);
}

}  // namespace vllama::datasets
