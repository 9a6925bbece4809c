#include "media/display_matrix.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <span>

namespace vllama::media {
namespace {

// The number of clockwise quarter turns, 0 to 3, of an angle that is one to the nearest degree.
std::optional<int> quarter_turns(double clockwise_degrees) {
  if (!std::isfinite(clockwise_degrees)) return std::nullopt;
  const double degrees = std::fmod(std::fmod(std::round(clockwise_degrees), 360) + 360, 360);
  const int quarters = static_cast<int>(degrees / 90);
  return degrees == 90 * quarters ? std::optional(quarters) : std::nullopt;
}

// A display matrix is a b u, c d v, x y w: a stored pixel goes to (a x + c y, b x + d y).
Orientation orientation_of(std::span<const std::uint8_t> bytes) {
  std::int32_t matrix[9];
  if (bytes.size() < sizeof(matrix)) return {};
  std::memcpy(matrix, bytes.data(), sizeof(matrix));
  const auto quarters = quarter_turns(-av_display_rotation_get(matrix));
  if (!quarters) return {};
  const bool swaps_axes = *quarters % 2 == 1;
  return {swaps_axes, matrix[swaps_axes ? 3 : 0] < 0, matrix[swaps_axes ? 1 : 4] < 0};
}

struct Plane {
  std::uint8_t* data;
  std::ptrdiff_t stride;  // bytes from row to row
  int width, height;      // samples
};

// Copies samples of `Bytes` bytes.
template <std::size_t Bytes>
void turn(const Plane& stored, const Plane& target, Orientation orientation) {
  const FrameSize size{target.width, target.height};
  for (int y = 0; y < target.height; ++y) {
    std::uint8_t* row = target.data + target.stride * y;
    for (int x = 0; x < target.width; ++x) {
      const Place from = stored_place(orientation, size, x, y);
      std::memcpy(row + x * Bytes,
                  stored.data + stored.stride * from.y + from.x * std::ptrdiff_t{Bytes}, Bytes);
    }
  }
}

bool turn_samples(const Plane& stored, const Plane& target, Orientation orientation, int bytes) {
  switch (bytes) {
    case 1:
      turn<1>(stored, target, orientation);
      return true;
    case 2:
      turn<2>(stored, target, orientation);
      return true;
    case 3:
      turn<3>(stored, target, orientation);
      return true;
    case 4:
      turn<4>(stored, target, orientation);
      return true;
    default:
      return false;
  }
}

// The size of a plane in samples, with chroma rounded up.
Plane plane_of(const AVFrame& frame, int plane, const AVPixFmtDescriptor& format) {
  const bool is_chroma = (plane == 1 || plane == 2) && (format.flags & AV_PIX_FMT_FLAG_RGB) == 0;
  const int shift_x = is_chroma ? format.log2_chroma_w : 0;
  const int shift_y = is_chroma ? format.log2_chroma_h : 0;
  return {frame.data[plane], frame.linesize[plane], AV_CEIL_RSHIFT(frame.width, shift_x),
          AV_CEIL_RSHIFT(frame.height, shift_y)};
}

// Bytes from one sample of a plane to the next.
int sample_bytes(const AVPixFmtDescriptor& format, int plane) {
  int bytes = 0;
  for (int i = 0; i < format.nb_components; ++i)
    if (format.comp[i].plane == plane) bytes = std::max(bytes, format.comp[i].step);
  return bytes;
}

bool can_turn(const AVPixFmtDescriptor& format, Orientation orientation) {
  constexpr std::uint64_t kOther = AV_PIX_FMT_FLAG_PAL | AV_PIX_FMT_FLAG_BITSTREAM |
                                   AV_PIX_FMT_FLAG_HWACCEL | AV_PIX_FMT_FLAG_BAYER;
  const bool is_packed_chroma = (format.log2_chroma_w != 0 || format.log2_chroma_h != 0) &&
                                (format.flags & AV_PIX_FMT_FLAG_PLANAR) == 0;
  return (format.flags & kOther) == 0 && !is_packed_chroma &&
         (!orientation.swaps_axes || format.log2_chroma_w == format.log2_chroma_h);
}

}  // namespace

Orientation display_orientation(const AVStream& stream) {
  std::size_t num_bytes = 0;
  const std::uint8_t* matrix =
      av_stream_get_side_data(&stream, AV_PKT_DATA_DISPLAYMATRIX, &num_bytes);
  if (matrix != nullptr) return orientation_of({matrix, num_bytes});
  const AVDictionaryEntry* tag = av_dict_get(stream.metadata, "rotate", nullptr, 0);
  const int quarters =
      tag == nullptr ? 0 : quarter_turns(std::strtod(tag->value, nullptr)).value_or(0);
  return {quarters % 2 == 1, quarters == 1 || quarters == 2, quarters == 2 || quarters == 3};
}

Orientation display_orientation(const AVFrame& frame) {
  const AVFrameSideData* matrix = av_frame_get_side_data(&frame, AV_FRAME_DATA_DISPLAYMATRIX);
  return matrix == nullptr ? Orientation{} : orientation_of({matrix->data, matrix->size});
}

Frame upright(const AVFrame& frame, Orientation orientation) {
  const auto format = static_cast<AVPixelFormat>(frame.format);
  const AVPixFmtDescriptor* description = av_pix_fmt_desc_get(format);
  if (description == nullptr || !can_turn(*description, orientation)) return nullptr;
  Frame turned = make_frame();
  check(av_frame_copy_props(turned.get(), &frame), "cannot copy a frame's properties");
  turned->format = frame.format;
  turned->width = orientation.swaps_axes ? frame.height : frame.width;
  turned->height = orientation.swaps_axes ? frame.width : frame.height;
  check(av_frame_get_buffer(turned.get(), 0), "cannot turn a frame");
  for (int plane = 0; plane < av_pix_fmt_count_planes(format); ++plane)
    if (!turn_samples(plane_of(frame, plane, *description), plane_of(*turned, plane, *description),
                      orientation, sample_bytes(*description, plane)))
      return nullptr;
  return turned;
}

}  // namespace vllama::media
