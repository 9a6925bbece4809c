// Questions of tests, in the layouts that evaluation reads. Every function gives the text of one
// annotation file.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "toy_world/files/world_plan.h"

namespace vllama::toy {

// Clips or sounds that questions are about.
struct AskedMedia {
  std::uint64_t seed;
  Split split;
  std::int64_t count;
  std::function<std::string(std::int64_t)> file;  // the name of number i, with its extension
  // Questions never name a held-out pair; otherwise they may.
  bool is_within_recipe = true;
};

enum class Medium { video, sound };

// Our own rows: a question of each of the types that applies, for each medium; the answer is the
// deciding word and the options are all words of the type.
std::string question_rows(const AskedMedia& media, std::span<const std::string_view> types, Use use,
                          Medium medium = Medium::video);

// POPE: for each clip four questions, of the types present and bound, each once with yes and once
// with no.
std::string probe_rows(const AskedMedia& media);

// The questions of question_rows() as the two files of ActivityNet-QA: its numbers for types, no
// question marks.
struct QuestionFiles {
  std::string questions, answers;
};
QuestionFiles activitynet_files(const AskedMedia& media);

}  // namespace vllama::toy
