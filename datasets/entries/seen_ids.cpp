#include "datasets/entries/seen_ids.h"

#include "core/hash.h"

namespace vllama::datasets {

bool SeenIds::add(std::string_view id) {
  if (2 * num_used_ >= slots_.size()) {
    std::vector<std::uint64_t> old(2 * slots_.size());
    old.swap(slots_);
    num_used_ = 0;
    for (const std::uint64_t hash : old)
      if (hash != 0) insert(hash);
  }
  const std::uint64_t hash = fnv1a(id);
  return insert(hash == 0 ? 1 : hash);
}

bool SeenIds::insert(std::uint64_t hash) {
  std::size_t slot = hash & (slots_.size() - 1);
  while (slots_[slot] != 0) {
    if (slots_[slot] == hash) return false;
    slot = (slot + 1) & (slots_.size() - 1);
  }
  slots_[slot] = hash;
  ++num_used_;
  return true;
}

}  // namespace vllama::datasets
