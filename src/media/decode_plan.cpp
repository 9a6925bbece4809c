#include "media/decode_plan.h"

#include <algorithm>

namespace vllama::media {
namespace {

// For each target, the picture from which decoding must run to reach it. A target shown before an
// entry that precedes it in the file (a leading picture) may refer to frames from before that
// entry, so it needs an earlier one; and then the targets between the two entries need no start of
// their own.
std::vector<std::int64_t> starts_for(std::span<const CodedPicture> pictures,
                                     std::span<const std::int64_t> targets) {
  std::vector<std::int64_t> entries{0};
  for (std::size_t i = 1; i < pictures.size(); ++i)
    if (pictures[i].is_entry) entries.push_back(static_cast<std::int64_t>(i));
  std::vector<std::int64_t> starts(targets.size());
  std::int64_t earliest = static_cast<std::int64_t>(pictures.size());
  for (std::size_t i = targets.size(); i-- > 0;) {
    const std::int64_t target = targets[i];
    auto entry = std::prev(std::upper_bound(entries.begin(), entries.end(), target));
    while (*entry > 0 && pictures[*entry].display_index > pictures[target].display_index) --entry;
    earliest = std::min(earliest, *entry);
    starts[i] = earliest;
  }
  return starts;
}

}  // namespace

std::vector<DecodeStep> plan_decode(std::span<const CodedPicture> pictures,
                                    std::span<const std::int64_t> targets) {
  const std::vector<std::int64_t> starts = starts_for(pictures, targets);
  std::vector<DecodeStep> steps;
  std::int64_t next = 0;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    bool starts_anew = starts[i] > next && !steps.empty();
    for (next = std::max(next, starts[i]); next <= targets[i]; ++next) {
      if (pictures[next].is_droppable && next != targets[i]) continue;
      steps.push_back({next, starts_anew, next == targets[i]});
      starts_anew = false;
    }
  }
  return steps;
}

std::vector<DecodeStep> plan_everything(std::span<const CodedPicture> pictures) {
  std::vector<DecodeStep> steps(pictures.size());
  for (std::size_t i = 0; i < pictures.size(); ++i)
    steps[i] = {static_cast<std::int64_t>(i), false, true};
  return steps;
}

}  // namespace vllama::media
