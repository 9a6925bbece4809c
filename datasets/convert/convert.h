// Writes any data set in our own annotation format.
#pragma once

#include <cstdint>
#include <filesystem>

#include "datasets/entries/record.h"

namespace vllama::datasets {

// Writes the records of a data set that was opened with `media_root`, line by line in their order,
// so that the file appears whole or not at all; returns their number. Opened with the same root,
// format vllama, it gives equal records. Records whose media are not there are written, too, and
// counted in `missing`, if it is given, with all names that were looked for. Throws RunFailure if
// the file cannot be written.
std::int64_t convert(const Dataset& dataset, const std::filesystem::path& media_root,
                     const std::filesystem::path& output, tables::EntryTally* missing = nullptr);

}  // namespace vllama::datasets
