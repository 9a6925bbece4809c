// AudioCaps: captions of ten-second sounds from YouTube.
#pragma once

#include <filesystem>
#include <memory>

#include "datasets/entries/record.h"
#include "datasets/index/index_folder.h"
#include "datasets/shards/media_root.h"

namespace vllama::datasets {

// CSV files with the columns `audiocap_id`, `youtube_id`, `start_time` (seconds) and `caption`. The
// sound is the first file that exists when the record is asked for: the clip
// <media_root>/<youtube_id>_<start_time>.{flac,wav,mp3,m4a,mp4}, all of it, or else the whole
// recording <media_root>/<youtube_id>.{the same}, of which the ten seconds from start_time are
// taken. Ids are taken as they are; a recording whose id has an extension has no other one. A row
// can be invalid: missing_id (of either kind), missing_start, bad_time, missing_caption.
std::unique_ptr<Dataset> open_audiocaps(const std::filesystem::path& annotations,
                                        const MediaRoot& media_root,
                                        const IndexFolder& indexes = {});

}  // namespace vllama::datasets
