// LLaVA-Instruct: conversations about images.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "datasets/index_folder.h"
#include "datasets/media_root.h"
#include "datasets/record.h"

namespace vllama::datasets {

// [{"id": "9", "image": "000000000009.jpg", "conversations": [{"from": "human", "value":
// "<image>\nWhat is this?"}, {"from": "gpt", "value": "A bowl."}]}]. Ids may be integers. The image
// is <media_root>/<image>, with `image_prefix` in front of its file name: folders in `image` stay
// in front of the prefix. Answers before the first question are left out.
//
// An element is invalid, hence counted and left out, for the reasons of tagged_conversation() and
// for: text_only (neither image nor tag), missing_image (a tag without an image), missing_id,
// bad_path, url.
std::unique_ptr<Dataset> open_llava_instruct(const std::filesystem::path& annotations,
                                             const MediaRoot& media_root,
                                             const std::string& image_prefix,
                                             const IndexFolder& indexes = {});

}  // namespace vllama::datasets
