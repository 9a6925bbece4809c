// Streams whose pictures are coded as two fields each, which no encoder at hand makes: written bit
// by bit.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace vllama::test {

// 64 x 64, one picture for each luma, every picture alike all over. Each is a top field, then a
// bottom field.

// ITU-T H.264, annex B: macroblocks of plain samples; every second picture is not referred to.
std::string h264_fields(const std::vector<std::uint8_t>& lumas);
// ITU-T H.262 (MPEG-2 video): intra macroblocks of nothing but their mean.
std::string mpeg2_fields(const std::vector<std::uint8_t>& lumas);

}  // namespace vllama::test
