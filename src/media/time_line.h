// One line of time for recordings that were joined into one file, whose time stamps begin anew or
// jump with every part.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "media/ffmpeg.h"

namespace vllama::media {

// Takes the packets of some streams in the order of the file and gives them back in that order,
// their time stamps moved so that each part follows the one before it. All streams of a part are
// moved by the same time: by that which joins the pictures, or the sound where there are none.
class TimeLine {
 public:
  // `streams` has the one that decides first. Times always begin anew when they go back; when they
  // go far forward, only where `may_jump_forward`.
  TimeLine(const std::vector<const AVStream*>& streams, bool may_jump_forward);

  // Takes over a packet; those of other streams are dropped.
  void push(AVPacket& packet);
  // No packet will follow.
  void end() { has_ended_ = true; }
  // Moves the next packet out. False while its place is not known yet: more packets are needed, or
  // there are none left.
  bool pop(AVPacket& packet);

 private:
  // Times are in the stream's own unit, as stored, where not said otherwise.
  struct Stream {
    int index;
    AVRational time_base;
    std::size_t part = 0;
    std::int64_t last_decoding = AV_NOPTS_VALUE, last_shown = AV_NOPTS_VALUE;
    bool lacks_times = false;  // a packet had no time of presentation
    // Since the part began.
    std::int64_t num_packets = 0;
    std::int64_t first_decoding = AV_NOPTS_VALUE, first_shown = AV_NOPTS_VALUE;
    std::int64_t decoding_end = AV_NOPTS_VALUE, shown_end = AV_NOPTS_VALUE;
    // The ends of what came before the part, in microseconds of the line.
    std::int64_t decoding_end_before = AV_NOPTS_VALUE, shown_end_before = AV_NOPTS_VALUE;
  };
  struct Held {
    Packet packet;
    std::size_t stream, part;
  };

  std::size_t newest_part() const { return moves_.size() - (has_open_part_ ? 0 : 1); }
  bool has_jumped(const Stream& stream, const AVPacket& packet) const;
  // Whether another stream of the same part has come to a time, given in microseconds.
  bool is_shared_pause(const Stream& stream, std::int64_t now) const;
  void begin_part(Stream& stream);
  void note(Stream& stream, const AVPacket& packet);
  // The first packets of the part whose place is open are known well enough.
  bool may_settle() const;
  void settle();
  // By how many microseconds the open part must move to follow what came before it in a stream;
  // AV_NOPTS_VALUE if the stream does not tell.
  static std::int64_t move_of(const Stream& stream);

  std::vector<Stream> streams_;
  bool may_jump_forward_;
  std::vector<std::int64_t> moves_{0};  // of the parts whose place is known, in microseconds
  bool has_open_part_ = false;          // of number moves_.size()
  std::deque<Held> held_;
  std::int64_t held_bytes_ = 0;
  bool has_ended_ = false;
};

}  // namespace vllama::media
