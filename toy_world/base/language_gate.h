// What the toy language model must be able to do before anything is built on it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "toy_world/base/language_text.h"

namespace vllama::toy {

// Greedy answers to questions of one type about new descriptions of one style. An answer is right
// if its first word that can decide answers of the type is the right one.
struct LanguageScore {
  std::string type;
  Style style;
  std::array<int, 3> num_right, num_asked;  // about one, two, three shapes

  double share() const;
};

// Asks the model in `folder` `num_questions` questions of every type in each style that tells the
// answer: captions, keywords, pictures, sounds heard.
std::vector<LanguageScore> examine_language_model(const std::filesystem::path& folder,
                                                  std::size_t num_questions, std::uint64_t seed);

}  // namespace vllama::toy
