// Owning pointers and the error check for FFmpeg. The only header that includes libav* and libsw*.
#pragma once

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/avstring.h>
#include <libavutil/channel_layout.h>
#include <libavutil/display.h>
#include <libavutil/imgutils.h>
#include <libavutil/opt.h>
#include <libavutil/pixdesc.h>
#include <libswresample/swresample.h>
#include <libswscale/swscale.h>
}

#include <memory>
#include <new>
#include <string>
#include <type_traits>

#include "media/error.h"

namespace vllama::media {

// FFmpeg frees some objects through T** and some through T*; the deleter accepts either.
template <auto free_function>
struct Free {
  template <class T>
  void operator()(T* object) const noexcept {
    if constexpr (std::is_invocable_v<decltype(free_function), T**>)
      free_function(&object);
    else
      free_function(object);
  }
};

using FormatContext = std::unique_ptr<AVFormatContext, Free<avformat_close_input>>;
using CodecContext = std::unique_ptr<AVCodecContext, Free<avcodec_free_context>>;
using CodecParser = std::unique_ptr<AVCodecParserContext, Free<av_parser_close>>;
using Dictionary = std::unique_ptr<AVDictionary, Free<av_dict_free>>;
using Frame = std::unique_ptr<AVFrame, Free<av_frame_free>>;
using Packet = std::unique_ptr<AVPacket, Free<av_packet_free>>;
using Scaler = std::unique_ptr<SwsContext, Free<sws_freeContext>>;
using Resampler = std::unique_ptr<SwrContext, Free<swr_free>>;

// What a negative FFmpeg status means; `otherwise` where the status itself does not tell.
MediaFailure failure_of(int status, MediaFailure otherwise = MediaFailure::corrupt);

// Throws MediaError "<action>: <FFmpeg's own text>" on a negative status, else returns it.
int check(int status, const std::string& action, MediaFailure otherwise = MediaFailure::corrupt);

// The pointer, or std::bad_alloc when FFmpeg could not allocate it.
template <class T>
T* allocated(T* object) {
  if (object == nullptr) throw std::bad_alloc();
  return object;
}

inline Frame make_frame() {
  return Frame(allocated(av_frame_alloc()));
}
inline Packet make_packet() {
  return Packet(allocated(av_packet_alloc()));
}

}  // namespace vllama::media
