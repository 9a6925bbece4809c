// Finds ids that occur more than once in a data set of any size, with 8 to 32 bytes for each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace vllama::datasets {

// Ids are compared by 64-bit hashes: two of ten million differing ids are taken for one with a
// probability of 3 in a million, which is good enough for a warning.
class SeenIds {
 public:
  // False if the id was added before.
  bool add(std::string_view id);

 private:
  bool insert(std::uint64_t hash);

  std::vector<std::uint64_t> slots_ = std::vector<std::uint64_t>(1024);  // 0 where free
  std::size_t num_used_ = 0;
};

}  // namespace vllama::datasets
