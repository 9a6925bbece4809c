// The plain way to get frames of a clip: decode all of it in sequence. What faster ways are
// compared with, in speed and in every pixel.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "media/image.h"
#include "media/video.h"

namespace vllama::tools {

// Hands every frame of the clip that is in `indices`, in display order, to `take`. Frames are
// numbered as they come out of the decoder, which gives a picture once also where players repeat
// it. Returns how many came out.
std::int64_t decode_plainly(
    const std::filesystem::path& path, std::span<const std::int64_t> indices,
    std::optional<media::FrameSize> size,
    const std::function<void(std::int64_t index, const media::Image& image)>& take);

}  // namespace vllama::tools
