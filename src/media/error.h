// Why a video, picture or sound could not be read: one typed error for everything media can throw.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace vllama::media {

enum class MediaFailure {
  not_found,          // no such file
  empty,              // zero bytes
  not_media,          // neither container nor picture: a web page, a folder, text
  unsupported_codec,  // no decoder for the stream
  no_video_stream,    // attached pictures do not count
  no_audio_stream,
  encrypted,
  corrupt,             // damaged so far that nothing useful can be decoded
  too_many_concealed,  // more than one requested frame in eight had to be replaced
  timeout,
  too_long,  // more frames or seconds than the model has places for
};

// "no_video_stream" and so on: stable names for logs and counters.
std::string_view failure_name(MediaFailure failure);

// The message names the file and what is wrong with it.
struct MediaError : std::runtime_error {
  MediaError(MediaFailure failure, const std::string& message)
      : std::runtime_error(message), reason(failure) {}

  MediaFailure reason;
};

}  // namespace vllama::media
