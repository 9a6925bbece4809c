#include "tools/bench/plain_decode.h"

#include <set>

#include "media/ffmpeg.h"
#include "media/frame_scaler.h"

namespace vllama::tools {
namespace {

using namespace media;

struct Clip {
  FormatContext format;
  int stream = 0;
  std::vector<Packet> packets;
};

Clip read_clip(const std::string& path) {
  AVFormatContext* format = nullptr;
  check(avformat_open_input(&format, path.c_str(), nullptr, nullptr), path);
  Clip clip{FormatContext(format), 0, {}};
  check(avformat_find_stream_info(format, nullptr), path);
  clip.stream = check(av_find_best_stream(format, AVMEDIA_TYPE_VIDEO, -1, -1, nullptr, 0), path);
  for (Packet packet = make_packet(); av_read_frame(format, packet.get()) >= 0;) {
    if (packet->stream_index == clip.stream) {
      clip.packets.push_back(std::move(packet));
      packet = make_packet();
    } else {
      av_packet_unref(packet.get());
    }
  }
  return clip;
}

}  // namespace

std::int64_t decode_plainly(
    const std::filesystem::path& path, std::span<const std::int64_t> indices,
    std::optional<FrameSize> size,
    const std::function<void(std::int64_t index, const Image& image)>& take) {
  const Clip clip = read_clip(path.string());
  const AVCodecParameters* parameters = clip.format->streams[clip.stream]->codecpar;
  const AVCodec* decoder = avcodec_find_decoder(parameters->codec_id);
  const CodecContext codec(allocated(avcodec_alloc_context3(decoder)));
  check(avcodec_parameters_to_context(codec.get(), parameters), path.string());
  codec->thread_count = 1;
  check(avcodec_open2(codec.get(), decoder, nullptr), path.string());

  const std::set<std::int64_t> wanted(indices.begin(), indices.end());
  FrameScaler scale(Interpolation::bilinear, VideoReader(path).facts().orientation);
  const Frame frame = make_frame();
  std::int64_t index = 0;
  const auto send = [&](const AVPacket* packet) {
    avcodec_send_packet(codec.get(), packet);
    for (; avcodec_receive_frame(codec.get(), frame.get()) >= 0; ++index)
      if (wanted.contains(index)) take(index, scale(*frame, size));
  };
  for (const Packet& packet : clip.packets) send(packet.get());
  send(nullptr);
  return index;
}

}  // namespace vllama::tools
