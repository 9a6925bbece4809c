#include "datasets/examples/record_texts.h"

#include "text/caption.h"
#include "text/media_tag.h"
#include "text/tokenizers/unicode.h"

namespace vllama::datasets {
namespace {

std::string without_spaces(std::string_view text) {
  std::string rest;
  while (!text.empty()) {
    const std::size_t space = text::leading_space_bytes(text);
    if (space == 0) rest += text.front();
    text.remove_prefix(space == 0 ? 1 : space);
  }
  return rest;
}

}  // namespace

std::string media_tag_in(const Record& record) {
  for (const text::Turn& turn : record.conversation.turns)
    for (const std::string& part : {turn.question, turn.answer})
      if (const auto tag = text::media_tag_in(part); !tag.empty()) return std::string(tag);
  return {};
}

std::optional<CaptionChange> caption_change(const DatasetConfig& set, const Record& record) {
  if (!set.cleans_captions() || !record.conversation.is_caption()) return std::nullopt;
  const std::string& before = record.conversation.turns[0].answer;
  std::string after = text::CaptionCleaner{.max_words = set.max_caption_words}(before);
  if (without_spaces(before) == without_spaces(after)) return std::nullopt;
  return CaptionChange{before, std::move(after)};
}

}  // namespace vllama::datasets
