// Where the Python original computes something that we hold to be wrong: ours is the default, and
// one named preset gives all of the original's results.
#pragma once

#include "config/enum_names.h"

namespace vllama::samples {

struct Compat {
  bool cuts_stop_tokens = false;  // texts over the limit lose their end, stop tokens included
  bool wraps_pixels = false;      // a cropped frame's values beyond 0..255 wrap around
  bool keeps_stored_orientation = false;  // pictures are not turned as their EXIF data say
  // The mean of a clip of sound is subtracted from the whole sound, so that overlapping clips
  // (sounds below 18 s) depend on those before them.
  bool centres_sound_in_place = false;
  bool counts_time_by_rate = false;  // a frame's time is its number through the average rate
  // What users wrote is searched for special tokens, so that "</s>" in a caption ends its turn.
  bool reads_special_tokens = false;
};

inline constexpr Compat kNoCompat{};
inline constexpr Compat kReferenceCompat{.cuts_stop_tokens = true,
                                         .wraps_pixels = true,
                                         .keeps_stored_orientation = true,
                                         .centres_sound_in_place = true,
                                         .counts_time_by_rate = true,
                                         .reads_special_tokens = true};

enum class CompatPreset { none, reference };
constexpr auto names_of(CompatPreset) {
  return config::EnumNames<CompatPreset, 2>{
      {{CompatPreset::none, "none"}, {CompatPreset::reference, "reference"}}};
}

constexpr const Compat& compat_of(CompatPreset preset) {
  return preset == CompatPreset::reference ? kReferenceCompat : kNoCompat;
}

}  // namespace vllama::samples
