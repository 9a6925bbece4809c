// Records of one format in a file that is read as another.
#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string_view>

#include "datasets/entries/record.h"

namespace vllama::datasets {

// What `read` gives. If it throws EntryError, and the keys of the element say that it is a record
// of another format than `format`, the error names that: "a video record: format `llava_video`
// reads it".
Record read_or_name_format(const nlohmann::json& element, std::string_view format,
                           const std::function<Record()>& read);

}  // namespace vllama::datasets
