// Captions as the official COCO tools read them.
#pragma once

#include <filesystem>
#include <vector>

#include "eval/scores/prediction.h"

namespace vllama::eval {

// [{"image_id", "caption"}] in the order given; the image id is the prediction's id, a missing
// answer is an empty caption. Throws RunFailure if the file cannot be written.
void write_coco_results(const std::filesystem::path& path,
                        const std::vector<Prediction>& predictions);

// The references: {"info", "type", "licenses", "images": [{"id"}], "annotations": [{"image_id",
// "id", "caption"}]}, the annotations numbered from 1. Throws as above.
void write_coco_annotations(const std::filesystem::path& path,
                            const std::vector<Prediction>& predictions);

}  // namespace vllama::eval
