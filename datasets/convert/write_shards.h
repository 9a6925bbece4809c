// Writes a data set with its media as tar shards that need nothing beside them.
#pragma once

#include <cstdint>
#include <filesystem>

#include "datasets/entries/record.h"

namespace vllama::datasets {

struct WrittenShards {
  std::int64_t num_records = 0, num_shards = 0, num_bytes = 0;
  // Records whose media could not be opened, by the name of the failure.
  tables::EntryTally left_out;
};

// Writes the records in their order into shard-00000.tar and so on, to be read as format
// webdataset. Record number 12 is the member 000000012.json, a line of our own format, and its
// media, 000000012.mp4, or 000000012.0.mp4 and so on if there are several. A medium that several
// records of a shard name is written once, with the first. A shard ends in front of the record with
// which it would exceed `max_shard_bytes`. Equal input gives equal bytes; each shard appears whole
// or not at all.
//
// Throws UserError if the folder holds anything or if no record can be written, RunFailure if the
// disk fails.
WrittenShards write_shards(const Dataset& dataset, const std::filesystem::path& folder,
                           std::int64_t max_shard_bytes);

}  // namespace vllama::datasets
