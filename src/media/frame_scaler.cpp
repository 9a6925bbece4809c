#include "media/frame_scaler.h"

#include <algorithm>
#include <cstring>

namespace vllama::media {
namespace {

// FFmpeg's scale filter falls back to BT.470BG (the same numbers as BT.601) in the same way.
const int* colour_coefficients(int colour_space) {
  const bool is_known = colour_space >= 1 && colour_space <= 10 && colour_space != 8;
  return sws_getCoefficients(is_known ? colour_space : AVCOL_SPC_BT470BG);
}

bool is_full_range(const AVFrame& frame) {
  switch (frame.format) {
    case AV_PIX_FMT_YUVJ411P:
    case AV_PIX_FMT_YUVJ420P:
    case AV_PIX_FMT_YUVJ422P:
    case AV_PIX_FMT_YUVJ440P:
    case AV_PIX_FMT_YUVJ444P:
      return true;
    default:
      return frame.color_range == AVCOL_RANGE_JPEG;
  }
}

Image to_image(const AVFrame& frame) {
  Image image{frame.width, frame.height, {}};
  const auto row_bytes = static_cast<std::size_t>(frame.width) * 3;
  image.rgb.resize(row_bytes * static_cast<std::size_t>(frame.height));
  for (int y = 0; y < frame.height; ++y)
    std::memcpy(image.rgb.data() + row_bytes * static_cast<std::size_t>(y),
                frame.data[0] + static_cast<std::ptrdiff_t>(frame.linesize[0]) * y, row_bytes);
  return image;
}

struct Plane {
  std::uint8_t* data;
  std::ptrdiff_t stride;  // bytes from row to row
  int width, height;      // samples
};

// Copies samples of `Bytes` bytes so that `target` is `source` turned clockwise.
template <std::size_t Bytes>
void turn(const Plane& source, const Plane& target, std::int64_t clockwise_degrees) {
  for (int y = 0; y < target.height; ++y) {
    std::uint8_t* row = target.data + target.stride * y;
    for (int x = 0; x < target.width; ++x) {
      int from_x = source.width - 1 - x, from_y = source.height - 1 - y;
      if (clockwise_degrees == 90) from_x = y, from_y = source.height - 1 - x;
      if (clockwise_degrees == 270) from_x = source.width - 1 - y, from_y = x;
      std::memcpy(
          row + x * Bytes,
          source.data + source.stride * from_y + from_x * static_cast<std::ptrdiff_t>(Bytes),
          Bytes);
    }
  }
}

bool turn_samples(const Plane& source, const Plane& target, std::int64_t degrees, int bytes) {
  switch (bytes) {
    case 1:
      turn<1>(source, target, degrees);
      return true;
    case 2:
      turn<2>(source, target, degrees);
      return true;
    case 3:
      turn<3>(source, target, degrees);
      return true;
    case 4:
      turn<4>(source, target, degrees);
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

bool can_turn(const AVPixFmtDescriptor& format, std::int64_t clockwise_degrees) {
  constexpr std::uint64_t kOther = AV_PIX_FMT_FLAG_PAL | AV_PIX_FMT_FLAG_BITSTREAM |
                                   AV_PIX_FMT_FLAG_HWACCEL | AV_PIX_FMT_FLAG_BAYER;
  const bool is_packed_chroma = (format.log2_chroma_w != 0 || format.log2_chroma_h != 0) &&
                                (format.flags & AV_PIX_FMT_FLAG_PLANAR) == 0;
  return (format.flags & kOther) == 0 && !is_packed_chroma &&
         (clockwise_degrees == 180 || format.log2_chroma_w == format.log2_chroma_h);
}

}  // namespace

Frame rotated(const AVFrame& frame, std::int64_t clockwise_degrees) {
  const auto format = static_cast<AVPixelFormat>(frame.format);
  const AVPixFmtDescriptor* description = av_pix_fmt_desc_get(format);
  if (description == nullptr || !can_turn(*description, clockwise_degrees)) return nullptr;
  Frame turned = make_frame();
  check(av_frame_copy_props(turned.get(), &frame), "cannot copy a frame's properties");
  turned->format = frame.format;
  turned->width = clockwise_degrees == 180 ? frame.width : frame.height;
  turned->height = clockwise_degrees == 180 ? frame.height : frame.width;
  check(av_frame_get_buffer(turned.get(), 0), "cannot rotate a frame");
  for (int plane = 0; plane < av_pix_fmt_count_planes(format); ++plane)
    if (!turn_samples(plane_of(frame, plane, *description), plane_of(*turned, plane, *description),
                      clockwise_degrees, sample_bytes(*description, plane)))
      return nullptr;
  return turned;
}

void FrameScaler::prepare(const Conversion& conversion) {
  if (scaler_ && conversion == conversion_) return;
  const auto format = static_cast<AVPixelFormat>(conversion.source_format);
  scaler_.reset();
  if (sws_isSupportedInput(format) > 0)
    scaler_.reset(
        sws_getContext(conversion.source_width, conversion.source_height, format, conversion.width,
                       conversion.height, AV_PIX_FMT_RGB24,
                       interpolation_ == Interpolation::bicubic ? SWS_BICUBIC : SWS_BILINEAR,
                       nullptr, nullptr, nullptr));
  if (!scaler_) {
    const char* name = av_get_pix_fmt_name(format);
    throw MediaError(MediaFailure::unsupported_codec,
                     std::string("cannot convert pixels of format ") +
                         (name == nullptr ? "unknown" : name) + " to RGB");
  }
  // Unity brightness, contrast and saturation; fails, without harm, for formats that are RGB.
  sws_setColorspaceDetails(scaler_.get(), colour_coefficients(conversion.colour_space),
                           conversion.is_full_range, sws_getCoefficients(SWS_CS_DEFAULT), 1, 0,
                           1 << 16, 1 << 16);
  conversion_ = conversion;
  output_ = make_frame();
  output_->format = AV_PIX_FMT_RGB24;
  output_->width = conversion.width;
  output_->height = conversion.height;
  check(av_frame_get_buffer(output_.get(), 0), "cannot hold a scaled frame");
}

void FrameScaler::convert(const AVFrame& frame, int width, int height) {
  prepare({frame.width, frame.height, frame.format, frame.colorspace, is_full_range(frame), width,
           height});
  check(sws_scale(scaler_.get(), frame.data, frame.linesize, 0, frame.height, output_->data,
                  output_->linesize),
        "cannot scale a frame");
}

Image FrameScaler::operator()(const AVFrame& frame, std::optional<FrameSize> size) {
  const AVFrame* source = &frame;
  Frame turned, rgb;
  if (clockwise_degrees_ != 0) {
    turned = rotated(frame, clockwise_degrees_);
    if (!turned) {
      convert(frame, frame.width, frame.height);
      rgb = std::move(output_);
      scaler_.reset();
      turned = rotated(*rgb, clockwise_degrees_);
    }
    source = turned.get();
  }
  convert(*source, size ? static_cast<int>(size->width) : source->width,
          size ? static_cast<int>(size->height) : source->height);
  return to_image(*output_);
}

}  // namespace vllama::media
