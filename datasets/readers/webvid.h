// WebVid: CSV files of video ids, folders and captions.
#pragma once

#include <filesystem>

#include "datasets/readers/csv_dataset.h"
#include "datasets/shards/media_root.h"

namespace vllama::datasets {

// Files with the columns `videoid`, `page_dir` and `name`. A row becomes the video
// <media_root>/<page_dir>/<videoid>.mp4, or without ".mp4" if the id has an extension of media,
// with the caption `name`, stripped of white space. Ids are text and keep their leading zeros. A
// row can be invalid: missing_id, missing_directory, missing_caption.
class WebVid : public CsvDataset {
 public:
  WebVid(const std::filesystem::path& annotations, const MediaRoot& media_root,
         const IndexFolder& indexes = {});
};

}  // namespace vllama::datasets
