// How videos are read.
#pragma once

#include <cstdint>

#include "config/fields.h"

namespace vllama::media {

// Interpolation when frames are scaled.
enum class FrameScaling { bilinear, bicubic };
constexpr auto names_of(FrameScaling) {
  return config::EnumNames<FrameScaling, 2>{
      {{FrameScaling::bilinear, "bilinear"}, {FrameScaling::bicubic, "bicubic"}}};
}

struct VideoOptions {
  FrameScaling scaler = FrameScaling::bilinear;
  double time_limit_seconds = 30;
  std::int64_t packet_memory_bytes = std::int64_t{256} << 20;

  template <class Visitor>
  void visit(Visitor&& field) {
    field("scaler", scaler, "interpolation when frames are scaled to the model's size");
    field("time_limit_seconds", time_limit_seconds,
          "longest time to open a clip, and again to decode its frames",
          config::Range{1e-3, 86400.0});
    field("packet_memory_bytes", packet_memory_bytes,
          "clips whose compressed frames need more than this are read twice instead of kept",
          config::AtLeast<std::int64_t>{0});
  }
};

}  // namespace vllama::media
