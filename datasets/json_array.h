// Finds the elements of a JSON array in a file of any size, in one pass.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "core/files.h"

namespace vllama::datasets {

// Where an element stands in a file, in bytes.
struct JsonExtent {
  std::uint64_t begin, length;
};

// The elements of the array that the whole file is if `key` is empty, else of the member `key` of
// the object that the file is. Throws UserError naming file and byte if it is not there or not JSON
// as a whole; the elements themselves are not looked into.
std::vector<JsonExtent> find_elements(const MappedFile& file, std::string_view key);

}  // namespace vllama::datasets
