// What the toy language model must be able to do before anything is built on it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "toy_world/language/language_text.h"
#include "toy_world/senses/gates.h"

namespace vllama::toy {

// Asks the model in the folder `llama` below `folder` `num_questions` questions of every type about
// new descriptions, in each style that tells the answer: captions, keywords, pictures, sounds
// heard. Answers are greedy; one is right if its first word that can decide answers of the type is
// the right one. A gate for every style and type.
std::vector<Gate> language_gates(const std::filesystem::path& folder, std::uint64_t seed,
                                 std::size_t num_questions = 200);

}  // namespace vllama::toy
