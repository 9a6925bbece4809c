// Opens a data set of any format and asks for its records.
#pragma once

#include "datasets/formats/open_dataset.h"
#include "datasets/readers/vllama_line.h"
#include "tools/fuzz/input.h"

namespace vllama::fuzz {

// Every record must be there again when it is asked for, and have a line in our own format that
// reads back.
inline void read_records(const datasets::DatasetConfig& config) {
  const auto dataset = datasets::open_dataset(config);
  constexpr std::int64_t kMaxRecords = 32;
  for (std::int64_t i = 0; i < std::min(dataset->size(), kMaxRecords); ++i) {
    const datasets::Record record = dataset->record(i);
    require(!record.media.empty(), "a record has a medium");
    datasets::line_from_record(record, config.media_root);
  }
}

}  // namespace vllama::fuzz
