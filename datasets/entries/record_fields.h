// The members of JSON objects that become parts of a record. Whatever is wrong with one is an
// EntryError.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "datasets/entries/record.h"

namespace vllama::datasets {

// Members "start" and "end" in seconds, each optional. bad_time unless 0 <= start < end.
void read_times(const nlohmann::json& object, samples::MediaFile& file);

// A path as annotations give it, for MediaRoot: relative or absolute, ".." is allowed.
// missing_media if it is empty, url, bad_path.
std::filesystem::path media_name(const std::string& path);

// missing_answer if not one turn has an answer.
void require_answers(const text::Conversation& conversation);

}  // namespace vllama::datasets
