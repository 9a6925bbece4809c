// Captions of pictures as numbers of words, for the throw-away text trunk.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "toy_world/senses/pictures.h"

namespace vllama::toy {

inline constexpr std::int64_t kCaptionLength = 34;  // the longest, with the start

class CaptionWords {
 public:
  // The words of captions.
  CaptionWords();

  std::int64_t num_words() const { return static_cast<std::int64_t>(numbers_.size()) + 2; }

  // The start, the words (a comma is one) and padding, kCaptionLength numbers.
  std::vector<std::int64_t> encode(const std::string& caption) const;

 private:
  std::map<std::string, std::int64_t, std::less<>> numbers_;
};

// What somebody may write about a picture: everything, or, in half of the captions, without some of
// sizes, colours, places and the field. Kinds are always named.
std::string describe(const Picture& picture, RandomStream& random);

}  // namespace vllama::toy
