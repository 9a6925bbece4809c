// FFmpeg's status codes as typed errors.
#include "media/ffmpeg.h"

namespace vllama::media {

std::string_view failure_name(MediaFailure failure) {
  switch (failure) {
    case MediaFailure::not_found:
      return "not_found";
    case MediaFailure::empty:
      return "empty";
    case MediaFailure::not_media:
      return "not_media";
    case MediaFailure::unsupported_codec:
      return "unsupported_codec";
    case MediaFailure::no_video_stream:
      return "no_video_stream";
    case MediaFailure::no_audio_stream:
      return "no_audio_stream";
    case MediaFailure::encrypted:
      return "encrypted";
    case MediaFailure::corrupt:
      return "corrupt";
    case MediaFailure::too_many_concealed:
      return "too_many_concealed";
    case MediaFailure::timeout:
      return "timeout";
    case MediaFailure::too_long:
      return "too_long";
  }
  return "unknown";
}

MediaFailure failure_of(int status, MediaFailure otherwise) {
  switch (status) {
    case AVERROR(ENOENT):
      return MediaFailure::not_found;
    case AVERROR_EXIT:  // our interrupt callback said that the time is over
      return MediaFailure::timeout;
    case AVERROR_DECODER_NOT_FOUND:
    case AVERROR_PATCHWELCOME:
      return MediaFailure::unsupported_codec;
    default:
      return otherwise;
  }
}

int check(int status, const std::string& action, MediaFailure otherwise) {
  if (status >= 0) return status;
  char text[AV_ERROR_MAX_STRING_SIZE] = {};
  av_strerror(status, text, sizeof(text));
  throw MediaError(failure_of(status, otherwise), action + ": " + text);
}

}  // namespace vllama::media
