#include "text/tokenizers/prompt_text.h"

#include <algorithm>

#include "core/error.h"

namespace vllama::text {

void PromptText::add(std::string_view part, Author author, bool is_learned) {
  if (part.empty()) return;
  text_ += part;
  stretches_.push_back({text_.size(), author, is_learned});
}

std::vector<PromptText::Stretch>::const_iterator PromptText::stretch_at(std::size_t byte) const {
  const auto stretch = std::ranges::upper_bound(stretches_, byte, std::less<>{},
                                                [](const Stretch& s) { return s.end; });
  VLLAMA_ASSERT(stretch != stretches_.end(), "a token behind the end of its text");
  return stretch;
}

bool PromptText::is_learned(std::size_t byte) const {
  return stretch_at(byte)->is_learned;
}

bool PromptText::has_users_text(std::size_t begin, std::size_t end) const {
  const auto last = stretch_at(end - 1);
  return std::any_of(stretch_at(begin), last + 1,
                     [](const Stretch& stretch) { return stretch.author == Author::user; });
}

PromptText PromptText::part(std::size_t begin, std::size_t end) const {
  PromptText result;
  for (std::size_t at = begin; at < end;) {
    const auto stretch = stretch_at(at);
    const std::size_t next = std::min(stretch->end, end);
    result.add(std::string_view(text_).substr(at, next - at), stretch->author, stretch->is_learned);
    at = next;
  }
  return result;
}

}  // namespace vllama::text
