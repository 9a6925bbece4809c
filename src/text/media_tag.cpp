#include "text/media_tag.h"

#include <algorithm>
#include <array>
#include <string>

namespace vllama::text {
namespace {

constexpr auto kMedia = std::to_array<std::string_view>(
    {"image", "images", "img", "video", "videos", "vid", "audio", "sound", "speech"});
constexpr auto kEndings = std::to_array<std::string_view>(
    {"", "here", "placeholder", "start", "end", "pad", "token", "feature", "content"});

// Between '<' and '>'; longer ones are markup with attributes, or no tags.
constexpr std::size_t kLongestName = 32;

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// "image", "ImageHere", "image_1", "video-pad", "/Video", "|audio|".
bool is_name_of_tag(std::string_view name) {
  const std::size_t first = name.find_first_not_of("|/");
  if (first == std::string_view::npos || !is_letter(name[first])) return false;
  std::string letters;
  for (const char c : name) {
    if (is_letter(c))
      letters += static_cast<char>(c | 0x20);  // lower case
    else if (std::string_view("|/_- 0123456789").find(c) == std::string_view::npos)
      return false;
  }
  return std::ranges::any_of(kMedia, [&](std::string_view medium) {
    return letters.starts_with(medium) &&
           std::ranges::find(kEndings, std::string_view(letters).substr(medium.size())) !=
               kEndings.end();
  });
}

}  // namespace

std::string_view media_tag_in(std::string_view text) {
  for (std::size_t begin = text.find('<'); begin != std::string_view::npos;
       begin = text.find('<', begin + 1)) {
    const std::size_t end = text.substr(0, begin + 2 + kLongestName).find('>', begin);
    if (end != std::string_view::npos && is_name_of_tag(text.substr(begin + 1, end - begin - 1)))
      return text.substr(begin, end + 1 - begin);
  }
  return {};
}

}  // namespace vllama::text
