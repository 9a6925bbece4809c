#include "media/decode_plan.h"

namespace vllama::media {
namespace {

// The last packet after `next` from which decoding may start to reach the target, else `next`
// itself. A target shown before an entry that precedes it in the file (a leading picture) may refer
// to frames from before that entry.
std::int64_t start_for(std::span<const PacketFacts> packets, std::int64_t target,
                       std::int64_t next) {
  for (std::int64_t i = target; i > next; --i)
    if (packets[i].is_entry && packets[i].display_index <= packets[target].display_index) return i;
  return next;
}

}  // namespace

std::vector<DecodeStep> plan_decode(std::span<const PacketFacts> packets,
                                    std::span<const std::int64_t> targets) {
  std::vector<DecodeStep> steps;
  std::int64_t next = 0;
  for (const std::int64_t target : targets) {
    const std::int64_t start = start_for(packets, target, next);
    bool starts_anew = start > next && !steps.empty();
    for (next = start; next <= target; ++next) {
      if (packets[next].is_droppable && next != target) continue;
      steps.push_back({next, starts_anew, next == target});
      starts_anew = false;
    }
  }
  return steps;
}

std::vector<DecodeStep> plan_everything(std::span<const PacketFacts> packets) {
  std::vector<DecodeStep> steps(packets.size());
  for (std::size_t i = 0; i < packets.size(); ++i)
    steps[i] = {static_cast<std::int64_t>(i), false, true};
  return steps;
}

}  // namespace vllama::media
