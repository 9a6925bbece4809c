// Reads the sound of a media file.
#pragma once

#include <cstdint>
#include <limits>

#include "media/error.h"
#include "media/file_range.h"
#include "media/waveform.h"

namespace vllama::media {

struct AudioOptions {
  double time_limit_seconds = 30;
  // Samples times channels, counted at 16 kHz at least: 1 GiB, or 46 minutes of 48 kHz stereo.
  std::int64_t max_values = std::int64_t{1} << 28;
  // The part of the file that is meant, on its own time line: 0 is where its pictures or its sound
  // begin, whichever is earlier.
  double start_seconds = 0;
  double end_seconds = std::numeric_limits<double>::infinity();
};

// The sound of a file, of that programme or track which belongs to its pictures, at its own rate,
// up to 64 channels, as a player plays it beside the pictures: silence until it begins, in gaps of
// its time stamps of more than a tenth of a second, and after its end while pictures go on for
// longer than that; what overlaps by more is cut, and stamps that go back are followed no further.
// In a file without pictures the samples follow one another. Samples that the container tells
// players to skip (encoder delay, padding) are left out. A truncated file gives what it still
// holds; one packet in eight may be undecodable. If rate or channels change on the way, what
// follows is converted to those of the beginning. A stream that announces no sample and holds none
// is a waveform without channels. Throws MediaError: not_found, empty (also nothing between start
// and end), not_media, no_audio_stream, unsupported_codec, encrypted, corrupt (nothing decodable,
// values that are no numbers, a rate outside 1..768 kHz), too_many_concealed (more packets are
// undecodable), timeout (time or length beyond the options).
Waveform read_audio(const FileRange& file, const AudioOptions& options = {});

}  // namespace vllama::media
