// Tags by which data sets mark the place of a medium, where they stand in a text as text.
#pragma once

#include <string_view>

namespace vllama::text {

// The first tag such as <image>, </Video>, <|audio|>, <image_1>, <ImageHere> or <video_pad> in
// `text`, as it is written there; empty if there is none. Readers take the tags of their format
// out, so that one that is left is read by the model letter by letter.
std::string_view media_tag_in(std::string_view text);

}  // namespace vllama::text
