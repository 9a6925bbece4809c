// How many clips of a sound are taken, and of which of its channels.
#pragma once

#include <cstdint>

#include "config/fields.h"

namespace vllama::samples {

// What becomes of several channels.
enum class Downmix { first, mean };
constexpr auto names_of(Downmix) {
  return config::EnumNames<Downmix, 2>{{{Downmix::first, "first"}, {Downmix::mean, "mean"}}};
}

struct AudioClipConfig {
  std::int64_t num_clips = 8;
  Downmix downmix = Downmix::first;

  template <class Visitor>
  void visit(Visitor&& field) {
    field("num_clips", num_clips, "clips of 2 s per sound; at most the encoder's audio positions",
          config::AtLeast<std::int64_t>{1});
    field("downmix", downmix, "what becomes of several channels: the first one, or their mean");
  }
};

}  // namespace vllama::samples
