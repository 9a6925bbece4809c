// What is odd about the texts of a record, without making tokens of them.
#pragma once

#include <optional>
#include <string>

#include "datasets/entries/record.h"
#include "datasets/formats/data_config.h"

namespace vllama::datasets {

// The first tag of a medium that stands in a question or an answer as text (text/media_tag.h);
// empty if there is none.
std::string media_tag_in(const Record& record);

struct CaptionChange {
  std::string before, after;
};

// What the clean-up makes of the caption of a record, if the data set has one and it takes or
// changes more than white space.
std::optional<CaptionChange> caption_change(const DatasetConfig& set, const Record& record);

}  // namespace vllama::datasets
