#include "media/frame_decoder.h"

#include <algorithm>
#include <utility>

namespace vllama::media {
namespace {

constexpr std::int64_t kMaxFramePixels = std::int64_t{1} << 26;  // 8192 x 8192
constexpr std::int64_t kMaxReorderDepth = 16;                    // of H.264

constexpr int kMaxErrorsInARow = 1000;

// Codecs whose decoders leave out frames that no other refers to when told so packet by packet. For
// H.264 and HEVC such packets are never sent.
bool skips_unreferenced(AVCodecID codec) {
  return codec == AV_CODEC_ID_MPEG1VIDEO || codec == AV_CODEC_ID_MPEG2VIDEO ||
         codec == AV_CODEC_ID_MPEG4;
}

}  // namespace

FrameDecoder::FrameDecoder(const AVCodecParameters& parameters, std::int64_t reorder_depth,
                           Take take)
    : take_(std::move(take)),
      packet_(make_packet()),
      frame_(make_frame()),
      skips_unreferenced_(skips_unreferenced(parameters.codec_id)) {
  const std::string action =
      std::string("cannot decode ") + avcodec_get_name(parameters.codec_id) + " video";
  const AVCodec* codec = avcodec_find_decoder(parameters.codec_id);
  if (codec == nullptr) throw MediaError(MediaFailure::unsupported_codec, action);
  codec_.reset(allocated(avcodec_alloc_context3(codec)));
  check(avcodec_parameters_to_context(codec_.get(), &parameters), action);
  codec_->thread_count = 1;  // clips are decoded in parallel, not frames
  codec_->max_pixels = kMaxFramePixels;
  // A decoder that starts with too small a guess drops the first frames that come out of order.
  codec_->has_b_frames = static_cast<int>(
      std::min(std::max<std::int64_t>(codec_->has_b_frames, reorder_depth), kMaxReorderDepth));
  check(avcodec_open2(codec_.get(), codec, nullptr), action);
}

void FrameDecoder::send(const AVPacket& packet, std::int64_t index, bool is_target) {
  if (packet.size <= 0) return;  // to FFmpeg this would mean the end
  av_packet_unref(packet_.get());
  check(av_packet_ref(packet_.get(), &packet), "cannot share a packet");
  last_sent_ = std::max(last_sent_, index);
  packet_->pts = index;  // decoders hand it through to the picture
  packet_->dts = AV_NOPTS_VALUE;
  packet_->flags &= ~AV_PKT_FLAG_DISCARD;  // who asks for a picture decides what is shown
  if (skips_unreferenced_) codec_->skip_frame = is_target ? AVDISCARD_DEFAULT : AVDISCARD_NONREF;
  had_errors_ = avcodec_send_packet(codec_.get(), packet_.get()) < 0 || had_errors_;
  receive();
}

void FrameDecoder::finish() {
  avcodec_send_packet(codec_.get(), nullptr);
  receive();
  avcodec_flush_buffers(codec_.get());
}

void FrameDecoder::receive() {
  // Errors inside a stream concern single frames: the picture that is missing in the end counts.
  for (int num_errors = 0; num_errors < kMaxErrorsInARow;) {
    const int status = avcodec_receive_frame(codec_.get(), frame_.get());
    if (status == AVERROR(EAGAIN) || status == AVERROR_EOF) return;
    num_errors = status < 0 ? num_errors + 1 : 0;
    had_errors_ = had_errors_ || status < 0 || frame_->decode_error_flags != 0 ||
                  (frame_->flags & AV_FRAME_FLAG_CORRUPT) != 0;
    const bool is_known = frame_->pts >= 0 && frame_->pts <= last_sent_;
    if (status >= 0 && is_known) take_(frame_->pts, *frame_);
  }
}

}  // namespace vllama::media
