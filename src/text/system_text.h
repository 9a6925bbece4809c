// What stands in front of the first question.
#pragma once

#include <string_view>

#include "text/prompt_template.h"
#include "text/tokenizers/prompt_text.h"

namespace vllama::text {

// `given`, by `author`, between the marks of the layout; where nothing is given, the layout's own
// text, or nothing at all. A layout that takes no system text ignores it.
void add_system_text(PromptText& text, const PromptLayout& layout, std::string_view given,
                     Author author);

}  // namespace vllama::text
