// Which pictures of a clip must be decoded to get some of them.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "media/picture_list.h"

namespace vllama::media {

struct DecodeStep {
  std::int64_t coded = 0;    // number of the coded picture
  bool starts_anew = false;  // everything before was left out: drain and empty the decoder first
  bool is_target = false;
};

// The shortest sequence of coded pictures that decodes the targets exactly. Groups of pictures
// without a target are left out, as are frames that no other refers to, and all after the last
// target. `targets` are numbers of coded pictures, ascending, each once.
std::vector<DecodeStep> plan_decode(std::span<const CodedPicture> pictures,
                                    std::span<const std::int64_t> targets);

// All pictures in order, nothing left out.
std::vector<DecodeStep> plan_everything(std::span<const CodedPicture> pictures);

}  // namespace vllama::media
