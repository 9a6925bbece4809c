// Drawing: frames on a contact sheet, sound as a spectrogram; free of libtorch.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "media/image.h"

namespace vllama::train {

using Colour = std::array<std::uint8_t, 3>;  // RGB

// A picture of one colour.
media::Image blank(media::FrameSize size, Colour colour);

// Copies `picture`, pixel by pixel, to where its upper left corner is (x, y); it must fit.
void paste(const media::Image& picture, std::int64_t x, std::int64_t y, media::Image& onto);

struct LabelledPicture {
  media::Image picture;
  std::string label;  // of digits, '#', ':', '.', 's' and spaces
};

// The pictures, unchanged, in a grid, each above its label. At least one picture; sizes may differ.
media::Image contact_sheet(std::span<const LabelledPicture> pictures);

// Values [num_bins, num_frames] as they lie in memory, from `low` (dark) to `high` (bright) in the
// colours of viridis, each value `pixels` wide and high; time goes right, bin 0 is at the bottom.
media::Image spectrogram(std::span<const float> values, std::int64_t num_bins,
                         std::pair<float, float> low_and_high, std::int64_t pixels);

}  // namespace vllama::train
