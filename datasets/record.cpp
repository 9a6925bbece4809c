#include "datasets/record.h"

#include <fmt/format.h>

namespace vllama::datasets {

void InvalidEntries::add(std::string_view reason, std::string place) {
  ++count_of_reason_[std::string(reason)];
  if (listed_.size() < kMaxListed) listed_.push_back({std::string(reason), std::move(place)});
}

std::int64_t InvalidEntries::total() const {
  std::int64_t total = 0;
  for (const auto& [reason, count] : count_of_reason_) total += count;
  return total;
}

std::string InvalidEntries::summary() const {
  std::string text;
  for (const auto& [reason, count] : count_of_reason_)
    text += fmt::format("{} {}, ", count, reason);
  if (!listed_.empty()) text += "the first at " + listed_.front().place;
  return text;
}

}  // namespace vllama::datasets
