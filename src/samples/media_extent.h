// How much of a medium there is.
#pragma once

#include <cstdint>

namespace vllama::samples {

struct MediaExtent {
  // Implicit: a medium is its units where nothing of them is padding.
  MediaExtent(std::int64_t units, std::int64_t padding = 0)
      : num_units(units), num_padding(padding) {}

  std::int64_t num_units;    // pictures, clips of sound, or pieces of one
  std::int64_t num_padding;  // tokens at the end of what an encoder makes of them, where nothing is

  bool operator==(const MediaExtent&) const = default;
};

}  // namespace vllama::samples
