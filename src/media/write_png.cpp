#include "media/write_png.h"

#include <cstring>

#include "core/error.h"
#include "core/files.h"
#include "media/ffmpeg.h"
#include "media/input.h"

namespace vllama::media {
namespace {

constexpr const char* kPngAction = "cannot encode a PNG";

Frame frame_of(const Image& image) {
  Frame frame = make_frame();
  frame->width = static_cast<int>(image.width);
  frame->height = static_cast<int>(image.height);
  frame->format = AV_PIX_FMT_RGB24;
  check(av_frame_get_buffer(frame.get(), 0), kPngAction);
  const auto row_bytes = static_cast<std::size_t>(image.width) * 3;
  for (std::int64_t y = 0; y < image.height; ++y)
    std::memcpy(frame->data[0] + y * frame->linesize[0],
                image.rgb.data() + static_cast<std::size_t>(y) * row_bytes, row_bytes);
  return frame;
}

}  // namespace

std::string encode_png(const Image& image) {
  VLLAMA_ASSERT(image.width > 0 && image.height > 0 &&
                    image.rgb.size() == static_cast<std::size_t>(image.width * image.height * 3),
                "a picture has three bytes per pixel");
  silence_ffmpeg();
  const AVCodec* encoder = avcodec_find_encoder(AV_CODEC_ID_PNG);
  if (encoder == nullptr)
    throw MediaError(MediaFailure::unsupported_codec, "this FFmpeg has no PNG encoder");
  const CodecContext codec(allocated(avcodec_alloc_context3(encoder)));
  codec->width = static_cast<int>(image.width);
  codec->height = static_cast<int>(image.height);
  codec->pix_fmt = AV_PIX_FMT_RGB24;
  codec->time_base = {1, 1};
  codec->thread_count = 1;
  check(avcodec_open2(codec.get(), encoder, nullptr), kPngAction);
  check(avcodec_send_frame(codec.get(), frame_of(image).get()), kPngAction);
  check(avcodec_send_frame(codec.get(), nullptr), kPngAction);
  const Packet packet = make_packet();
  check(avcodec_receive_packet(codec.get(), packet.get()), kPngAction);
  return {reinterpret_cast<const char*>(packet->data), static_cast<std::size_t>(packet->size)};
}

void write_png(const Image& image, const std::filesystem::path& path) {
  write_file_atomically(path, encode_png(image));
}

}  // namespace vllama::media
