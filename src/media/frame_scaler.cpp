#include "media/frame_scaler.h"

#include <cstring>

#include "media/display_matrix.h"

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

int scaler_flags(Interpolation interpolation) {
  switch (interpolation) {
    case Interpolation::bilinear:
      return SWS_BILINEAR;
    case Interpolation::bicubic:
      return SWS_BICUBIC;
    case Interpolation::smooth_chroma:
      return SWS_BILINEAR | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INT;
  }
  return 0;
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

}  // namespace

void FrameScaler::prepare(const Conversion& conversion) {
  if (scaler_ && conversion == conversion_) return;
  const auto format = static_cast<AVPixelFormat>(conversion.source_format);
  scaler_.reset();
  if (sws_isSupportedInput(format) > 0)
    scaler_.reset(sws_getContext(conversion.source_width, conversion.source_height, format,
                                 conversion.width, conversion.height, AV_PIX_FMT_RGB24,
                                 scaler_flags(interpolation_), nullptr, nullptr, nullptr));
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
  const bool header_is_silent = orientation_ == Orientation{};
  const Orientation orientation = header_is_silent ? display_orientation(frame) : orientation_;
  if (orientation != Orientation{}) {
    turned = upright(frame, orientation);
    if (!turned) {
      convert(frame, frame.width, frame.height);
      rgb = std::move(output_);
      scaler_.reset();
      turned = upright(*rgb, orientation);
    }
    source = turned.get();
  }
  convert(*source, size ? static_cast<int>(size->width) : source->width,
          size ? static_cast<int>(size->height) : source->height);
  return to_image(*output_);
}

}  // namespace vllama::media
