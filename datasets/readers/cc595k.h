// LLaVA-CC3M-Pretrain-595K: captioned images as one-turn chats, chat.json.
#pragma once

#include <filesystem>
#include <memory>

#include "datasets/entries/record.h"
#include "datasets/index/index_folder.h"
#include "datasets/shards/media_root.h"

namespace vllama::datasets {

// [{"id": "...", "image": "GCC_train_000000042.jpg", "conversations": [{"from": "human", "value":
// "..."}, {"from": "gpt", "value": "a boat on a lake ."}]}]. The image is <media_root>/<image>, the
// caption the first gpt value, kept as it is; the human value is an instruction that stage 1 has no
// use for. An entry can be invalid: missing_key, missing_image, missing_caption, wrong_type,
// bad_path, url.
std::unique_ptr<Dataset> open_cc595k(const std::filesystem::path& annotations,
                                     const MediaRoot& media_root, const IndexFolder& indexes = {});

}  // namespace vllama::datasets
