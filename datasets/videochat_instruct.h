// VideoChat's instruction data, and VideoChat2's: questions and answers about videos or images.
#pragma once

#include <filesystem>
#include <memory>

#include "datasets/index_folder.h"
#include "datasets/media_root.h"
#include "datasets/record.h"

namespace vllama::datasets {

// [{"video": "000001_000050/1000000007.mp4", "QA": [{"q": "Where?", "a": "Over a hill."}], "start":
// 1.5, "end": 4}], or "image" in the place of "video". Questions may be empty; their "i"
// (instruction) and any other key is passed over. The path is also the id. The medium stands in
// front of the first question.
//
// An element is invalid for: missing_media, many_media (a video and an image), no_turns (QA is
// empty), missing_question (no "q"), missing_answer (no "a", or all are blank), bad_time, bad_path,
// url, missing_key, wrong_type.
std::unique_ptr<Dataset> open_videochat_instruct(const std::filesystem::path& annotations,
                                                 const MediaRoot& media_root,
                                                 const IndexFolder& indexes = {});

}  // namespace vllama::datasets
