// LLaVA-Instruct and the mixes in its layout: conversations about images, videos and sounds.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "datasets/entries/record.h"
#include "datasets/index/index_folder.h"
#include "datasets/shards/media_root.h"

namespace vllama::datasets {

// [{"id": "9", "image": "000000000009.jpg", "conversations": [{"from": "human", "value":
// "<image>\nWhat is this?"}, {"from": "gpt", "value": "A bowl."}]}], or a line for each. Ids may be
// integers. The media are those of "image", "video" and "audio" (or "images", "videos", "audios"),
// each a name or a list of them, below <media_root>; images have `image_prefix` in front of their
// file names: folders stay in front of the prefix. A name is taken as it is, or with an extension
// appended if it has none and a file is called so. Each medium stands at its tag, <image>, <video>
// or <audio>; where a record has videos and no image, <image> stands for a video, as LLaVA-NeXT
// writes it. Answers before the first question are left out.
//
// An element is invalid, hence counted and left out, for the reasons of answered_conversation() and
// place_media_at_tags() and for: text_only (neither media nor a tag), missing_image (<image>
// without media), missing_id, bad_path, url. `format` is the format's name, llava_instruct or
// llava_video.
std::unique_ptr<Dataset> open_llava_instruct(const std::filesystem::path& annotations,
                                             const MediaRoot& media_root,
                                             const std::string& image_prefix,
                                             const IndexFolder& indexes = {},
                                             const std::string& format = "llava_instruct");

}  // namespace vllama::datasets
