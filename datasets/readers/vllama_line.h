// One line of our own annotation format (docs/data_format.md) as a record, and back.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "datasets/entries/record.h"
#include "datasets/shards/media_root.h"

namespace vllama::datasets {

// Throws EntryError: wrong_type, missing_key, unknown_key, missing_id, unknown_role, broken_order,
// no_turns, missing_answer, missing_caption, missing_media, many_media (several in one part),
// text_only, media_in_answer, bad_time, bad_path, url.
Record record_from_line(const nlohmann::json& line, const MediaRoot& media_root);

// The line for a record, without a line break. Media below `media_root` get paths relative to it,
// so that reading the line with the same root gives an equal record. Throws UserError if the name
// of a medium is not UTF-8.
std::string line_from_record(const Record& record, const std::filesystem::path& media_root);

}  // namespace vllama::datasets
