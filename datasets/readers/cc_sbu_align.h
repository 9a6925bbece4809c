// Captioned images in the form of MiniGPT-4's second stage: filter_cap.json.
#pragma once

#include <filesystem>
#include <memory>

#include "datasets/entries/record.h"
#include "datasets/index/index_folder.h"
#include "datasets/shards/media_root.h"

namespace vllama::datasets {

// {"annotations": [{"image_id": "17", "caption": "..."}]}; the image is
// <media_root>/<image_id>.jpg. An image_id may be an integer and may occur more than once. Captions
// are kept as they are. An entry can be invalid: missing_key, missing_caption, missing_id,
// wrong_type, bad_path (an image_id with a file extension).
std::unique_ptr<Dataset> open_cc_sbu_align(const std::filesystem::path& annotations,
                                           const MediaRoot& media_root,
                                           const IndexFolder& indexes = {});

}  // namespace vllama::datasets
