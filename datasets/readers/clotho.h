// Clotho: sounds with five captions each.
#pragma once

#include <filesystem>
#include <memory>

#include "datasets/entries/record.h"
#include "datasets/index/index_folder.h"
#include "datasets/shards/media_root.h"

namespace vllama::datasets {

// CSV files with the columns `file_name` and `caption_1` to `caption_5`. A row is five records, one
// per caption, with the ids <file_name>#1 to <file_name>#5; the sound is <media_root>/<file_name>,
// the name taken as it is, white space at its ends included (some published names begin with it).
// A record can be invalid: missing_id (no file name), missing_caption.
std::unique_ptr<Dataset> open_clotho(const std::filesystem::path& annotations,
                                     const MediaRoot& media_root, const IndexFolder& indexes = {});

}  // namespace vllama::datasets
