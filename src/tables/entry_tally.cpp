#include "tables/entry_tally.h"

#include <fmt/format.h>

namespace vllama::tables {

void EntryTally::add(std::string_view reason, std::string place, std::string detail) {
  ++count_of_reason_[std::string(reason)];
  if (listed_.size() == kMaxListed) return;
  if (detail.size() > kMaxDetailBytes) detail.replace(kMaxDetailBytes - 3, detail.npos, "...");
  listed_.push_back({std::string(reason), std::move(place), std::move(detail)});
}

void EntryTally::add(const EntryTally& other) {
  for (const auto& [reason, count] : other.count_of_reason_) count_of_reason_[reason] += count;
  for (const Entry& entry : other.listed_)
    if (listed_.size() < kMaxListed) listed_.push_back(entry);
}

std::int64_t EntryTally::total() const {
  std::int64_t total = 0;
  for (const auto& [reason, count] : count_of_reason_) total += count;
  return total;
}

std::string EntryTally::summary() const {
  std::string text;
  for (const auto& [reason, count] : count_of_reason_)
    text += fmt::format("{} {}, ", count, reason);
  if (listed_.empty()) return text;
  const Entry& first = listed_.front();
  text += "the first at " + first.place;
  if (!first.detail.empty()) text += fmt::format(" ({})", first.detail);
  return text;
}

}  // namespace vllama::tables
