#include "media/image.h"

#include <fmt/format.h>

#include <array>
#include <cstring>
#include <string_view>
#include <utility>

#include "media/containers.h"
#include "media/ffmpeg.h"
#include "media/frame_scaler.h"
#include "media/input.h"
#include "media/jpeg.h"
#include "media/orientation.h"
#include "media/video.h"

namespace vllama::media {
namespace {

constexpr std::int64_t kMaxPixels = std::int64_t{1} << 27;
// Room for that many pixels of 64 bits without compression; less than FFmpeg takes in one packet.
constexpr std::int64_t kMaxFileBytes = (std::int64_t{1} << 30) + (std::int64_t{1} << 20);
constexpr std::int64_t kFirstBytes = 512;

// The picture of a file that is one compressed frame.
Frame decode_single(AVCodecID codec_id, std::string_view bytes, const std::string& name) {
  const std::string action = fmt::format("'{}': cannot decode the picture", name);
  const AVCodec* decoder = avcodec_find_decoder(codec_id);
  if (decoder == nullptr) throw MediaError(MediaFailure::unsupported_codec, action);
  const CodecContext codec(allocated(avcodec_alloc_context3(decoder)));
  codec->thread_count = 1;
  codec->max_pixels = kMaxPixels;
  codec->err_recognition = AV_EF_EXPLODE | AV_EF_CRCCHECK;  // half a picture is an error
  check(avcodec_open2(codec.get(), decoder, nullptr), action);
  const Packet packet = make_packet();
  check(av_new_packet(packet.get(), static_cast<int>(bytes.size())), action);
  std::memcpy(packet->data, bytes.data(), bytes.size());
  check(avcodec_send_packet(codec.get(), packet.get()), action);
  avcodec_send_packet(codec.get(), nullptr);
  Frame frame = make_frame();
  check(avcodec_receive_frame(codec.get(), frame.get()), action);
  return frame;
}

Image from_palette(const AVFrame& frame) {
  Image image{frame.width, frame.height, {}};
  image.rgb.reserve(static_cast<std::size_t>(image.width * image.height) * 3);
  for (int y = 0; y < frame.height; ++y)
    for (int x = 0; x < frame.width; ++x) {
      std::uint32_t argb = 0;
      const std::uint8_t index =
          frame.data[0][static_cast<std::ptrdiff_t>(frame.linesize[0]) * y + x];
      std::memcpy(&argb, frame.data[1] + 4 * std::size_t{index}, sizeof(argb));
      for (const int shift : {16, 8, 0})
        image.rgb.push_back(static_cast<std::uint8_t>(argb >> shift));
    }
  return image;
}

// Grey or RGB of any depth, with or without alpha: the upper 8 bits of each colour.
Image from_components(const AVFrame& frame, const AVPixFmtDescriptor& format) {
  Image image{frame.width, frame.height, {}};
  image.rgb.resize(static_cast<std::size_t>(image.width * image.height) * 3);
  std::vector<std::uint16_t> values(static_cast<std::size_t>(frame.width));
  const bool is_grey = format.nb_components < 3;
  for (int y = 0; y < frame.height; ++y)
    for (int c = 0; c < 3; ++c) {
      const int component = is_grey ? 0 : c;
      const int depth = format.comp[component].depth;
      av_read_image_line2(values.data(), const_cast<const std::uint8_t**>(frame.data),
                          frame.linesize, &format, 0, y, component, frame.width, 0, 2);
      std::uint8_t* row = image.rgb.data() +
                          static_cast<std::size_t>(image.width) * 3 * static_cast<std::size_t>(y);
      for (int x = 0; x < frame.width; ++x)
        row[3 * x + c] = static_cast<std::uint8_t>(
            depth >= 8 ? values[x] >> (depth - 8) : values[x] * 255 / ((1 << depth) - 1));
    }
  return image;
}

Image rgb_of(const AVFrame& frame) {
  const AVPixFmtDescriptor* format = av_pix_fmt_desc_get(static_cast<AVPixelFormat>(frame.format));
  if (frame.format == AV_PIX_FMT_PAL8) return from_palette(frame);
  const bool is_rgb = format != nullptr && (format->flags & AV_PIX_FMT_FLAG_RGB) != 0;
  const bool is_grey = format != nullptr && format->nb_components < 3;
  if (is_rgb || is_grey) return from_components(frame, *format);
  return FrameScaler(Interpolation::smooth_chroma, {})(frame, std::nullopt);
}

struct Signature {
  std::string_view start;
  std::string_view at_8;  // bytes 8 to 11, where they matter
  AVCodecID codec;
};

using namespace std::string_view_literals;
constexpr std::array kSignatures = {
    Signature{"\xff\xd8\xff"sv, ""sv, AV_CODEC_ID_MJPEG},
    Signature{"\x89PNG\r\n\x1a\n"sv, ""sv, AV_CODEC_ID_PNG},
    Signature{"RIFF"sv, "WEBP"sv, AV_CODEC_ID_WEBP},
    Signature{"BM"sv, ""sv, AV_CODEC_ID_BMP},
    Signature{"GIF8"sv, ""sv, AV_CODEC_ID_GIF},
};

AVCodecID format_of(std::string_view bytes) {
  for (const Signature& signature : kSignatures)
    if (bytes.starts_with(signature.start) &&
        bytes.substr(std::min<std::size_t>(8, bytes.size())).starts_with(signature.at_8))
      return signature.codec;
  return AV_CODEC_ID_NONE;
}

}  // namespace

Image read_image(const FileRange& file, Turning turning) {
  silence_ffmpeg();
  const OpenRange opened(file);
  const std::string name = file.name();
  const std::string first_bytes = opened.read_first(kFirstBytes);
  const AVCodecID codec = format_of(first_bytes);
  if (codec == AV_CODEC_ID_NONE) {
    const std::string_view kind = kind_of_other_file(first_bytes);
    throw MediaError(MediaFailure::not_media,
                     fmt::format("'{}': is {}{}not a JPEG, PNG, WebP, BMP or GIF", name, kind,
                                 kind.empty() ? "" : ", "));
  }
  if (codec == AV_CODEC_ID_GIF) {
    const std::int64_t first[] = {0};
    return VideoReader(file).frames(first).images.front();
  }
  if (opened.size() > kMaxFileBytes)
    throw MediaError(MediaFailure::corrupt, fmt::format("'{}': is too large for a picture", name));
  const std::string bytes = opened.read_first(opened.size());
  Image image = codec == AV_CODEC_ID_MJPEG ? decode_jpeg(std::as_bytes(std::span(bytes)), name)
                                           : rgb_of(*decode_single(codec, bytes, name));
  return turning == Turning::as_stored ? image : upright(std::move(image), exif_orientation(bytes));
}

}  // namespace vllama::media
