// One codec at work: packets in, pictures out, each with the number of the packet it came from.
#pragma once

#include <cstdint>
#include <functional>

#include "media/ffmpeg.h"

namespace vllama::media {

class FrameDecoder {
 public:
  using Take = std::function<void(std::int64_t packet_index, const AVFrame& frame)>;

  // `take` receives the pictures in display order, a little later than their packets were sent.
  // Throws MediaError unsupported_codec or corrupt if the codec cannot be opened.
  FrameDecoder(const AVCodecParameters& parameters, std::int64_t reorder_depth, Take take);

  // A packet that does not decode gives no picture and no error. `is_target` is false for packets
  // whose picture is of no interest: it is not decoded if nothing refers to it.
  void send(const AVPacket& packet, std::int64_t index, bool is_target);
  // Gives the pictures still held back and forgets everything; decoding may start again.
  void finish();
  // Whether a packet did not decode, or a picture came out damaged.
  bool had_errors() const { return had_errors_; }
  // Pictures that are held back until those have come that are shown before them.
  std::int64_t delay() const { return codec_->has_b_frames; }

 private:
  void receive();

  CodecContext codec_;
  Take take_;
  Packet packet_;
  Frame frame_;
  bool skips_unreferenced_;
  bool had_errors_ = false;
  std::int64_t last_sent_ = -1;  // the latest of the file
};

}  // namespace vllama::media
