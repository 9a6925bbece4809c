// VideoInstruct100K (Video-ChatGPT): questions and answers about ActivityNet videos.
#pragma once

#include <filesystem>
#include <memory>

#include "datasets/entries/record.h"
#include "datasets/index/index_folder.h"
#include "datasets/shards/media_root.h"

namespace vllama::datasets {

// [{"q": "What happens?", "a": "A man paints.", "video_id": "v_abc"}], one turn each, or its
// training form [{"id": "v_abc", "video": "v_abc.pkl", "conversations": [{"from": "human", "value":
// "What happens?\n<video>"}, {"from": "gpt", "value": "A man paints."}]}]. The video is
// <media_root>/<video_id> if the name has an extension of media, as Video-LLaVA and VideoLLaMA2
// write it, or if a file is called so; else the file with the first of the extensions mp4, mkv,
// webm, avi, mov that exists when the record is asked for, mp4 if none does. Of the training form,
// ".pkl" is taken off and the tag with the line break beside it goes: the medium stands in front of
// its question.
//
// An element is invalid for: missing_question, missing_answer, missing_media, bad_path, url,
// missing_key, wrong_type, and for the reasons of answered_conversation() and
// text::place_medium_at_tag().
std::unique_ptr<Dataset> open_video_instruct_100k(const std::filesystem::path& annotations,
                                                  const MediaRoot& media_root,
                                                  const IndexFolder& indexes = {});

}  // namespace vllama::datasets
