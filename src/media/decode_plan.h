// Which packets of a clip must be decoded to get some of its frames.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "media/packet_list.h"

namespace vllama::media {

struct DecodeStep {
  std::int64_t file_index = 0;
  bool starts_anew = false;  // everything before was left out: drain and empty the decoder first
  bool is_target = false;
};

// The shortest sequence of packets that decodes the targets exactly. Groups of pictures without a
// target are left out, as are frames that no other refers to, and all after the last target.
// `targets` are places in the file, ascending, each once.
std::vector<DecodeStep> plan_decode(std::span<const PacketFacts> packets,
                                    std::span<const std::int64_t> targets);

// All packets in order, nothing left out.
std::vector<DecodeStep> plan_everything(std::span<const PacketFacts> packets);

}  // namespace vllama::media
