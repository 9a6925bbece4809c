// Texts that cannot become a training sample or a prompt: an error with a reason that can be
// counted.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace vllama::text {

enum class TextFailure {
  no_turns,           // a conversation without a question that has an answer
  unknown_role,       // a message that is neither the user's nor the model's
  broken_order,       // two messages of one role in a row
  no_media_place,     // an image conversation without <image>
  many_media_places,  // more than one <image>
  reserved_token,     // a text that contains <ImageHere> or <AudioHere>
  too_long,           // question and media alone exceed the length limit
  no_target,          // nothing in it is to be learned
};

// Stable lower-case name of a reason, for logs and counters: "no_media_place".
std::string_view failure_name(TextFailure reason);

// A property of one sample's text. Readers count it by reason and drop the sample.
struct TextError : std::runtime_error {
  TextError(TextFailure why, const std::string& message)
      : std::runtime_error(message), reason(why) {}
  TextFailure reason;
};

}  // namespace vllama::text
