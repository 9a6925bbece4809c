#include "text/system_text.h"

namespace vllama::text {

void add_system_text(PromptText& text, const PromptLayout& layout, std::string_view given,
                     Author author) {
  if (given.empty() && layout.default_system.empty() && layout.omits_empty_system) return;
  text.add(layout.before_system, Author::prompt_template);
  if (given.empty()) text.add(layout.default_system, Author::prompt_template);
  if (layout.takes_system_text) text.add(given, author);
  text.add(layout.after_system, Author::prompt_template);
}

}  // namespace vllama::text
