// The index of a data set as a file: made once per node, mapped by every process that needs it.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "datasets/index/index.h"
#include "datasets/index/index_folder.h"

namespace vllama::datasets {

// What an index is made of. Indexes with equal keys, of files with the same sizes and times of
// change, are interchangeable.
struct IndexKey {
  // Who made it and a number that grows whenever that one would make another index of the same
  // files, or lays it out in another way: "csv webvid 1". The first word begins the file's name.
  std::string reader;
  std::vector<std::filesystem::path> files;  // in the order in which they are read
};

// The index for a key: from its file in the folder; where there is none, or one that is damaged,
// `build` makes it and it appears there whole. Of several processes that need the same index one
// builds it and the others wait; should that one die, another builds. Where the folder cannot be
// used, the index stays in memory, with a warning. Throws UserError if a file of the key cannot be
// looked at, RunFailure if one changes meanwhile, and whatever `build` throws.
Index open_index(const IndexFolder& folder, const IndexKey& key,
                 const std::function<IndexContent()>& build);

}  // namespace vllama::datasets
