// VideoChat's instruction data, and VideoChat2's: questions and answers about videos or images.
#pragma once

#include <filesystem>
#include <memory>

#include "datasets/entries/record.h"
#include "datasets/index/index_folder.h"
#include "datasets/shards/media_root.h"

namespace vllama::datasets {

// Whether "i" is part of the prompt, as VideoChat2 has it, or passed over, as the Python original
// of Video-LLaMA does.
enum class Instructions { read, pass_over };

// [{"video": "000001_000050/1000000007.mp4", "QA": [{"q": "Where?", "a": "Over a hill."}], "start":
// 1.5, "end": 4}], or "image" in the place of "video". An instruction "i" stands in front of its
// question, a space between them; questions may be empty, and then it is the question. One that is
// the same as that of the turn before is not repeated. Any other key is passed over. The path is
// also the id. The medium stands in front of the first question.
//
// An element is invalid for: missing_media, many_media (a video and an image), no_turns (QA is
// empty), missing_question (neither "q" nor "i"), missing_answer (no "a", or all are blank),
// bad_time, bad_path, url, missing_key, wrong_type.
std::unique_ptr<Dataset> open_videochat_instruct(const std::filesystem::path& annotations,
                                                 const MediaRoot& media_root,
                                                 const IndexFolder& indexes = {},
                                                 Instructions instructions = Instructions::read);

}  // namespace vllama::datasets
