// Which medium a question is shown in place of its own.
#pragma once

#include <cstdint>
#include <vector>

#include "eval/tasks/question.h"

namespace vllama::eval {

// Gives every question the medium of another one, of the same kind (video, image or sound), and
// notes its name in `expected.shown`. The files of a kind stand in a ring whose order is drawn by
// `seed` and their names; each is replaced by the next. So never is a file replaced by itself,
// questions about the same file see the same one, and each file is shown in place of one other.
// Questions without a medium stay without. Throws UserError if a kind has a single file.
void show_other_media(std::vector<Question>& questions, std::uint64_t seed);

// Every question is asked without a medium.
void show_nothing(std::vector<Question>& questions);

}  // namespace vllama::eval
