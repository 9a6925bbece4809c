// Conversations as training samples.
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "core/error.h"
#include "text/error.h"
#include "text/labelled_text.h"
#include "text/prompt.h"

namespace vllama::text {
namespace {

// A conversation in its form: the text, and where its last answer lies.
struct FormedText {
  LabelledText labelled;
  std::size_t answer_begin = 0, answer_end = 0;
};

FormedText form_text(std::span<const Turn> turns, const ConversationTemplate& form) {
  FormedText formed;
  LabelledText& text = formed.labelled;
  text.add(form.header, false);
  for (const Turn& turn : turns) {
    if (&turn != turns.data()) text.add(form.between_turns, false);
    text.add(form.turn_mark, true);
    text.add(form.before_question, false);
    text.add(turn.question, false);
    text.add(form.after_question, false);
    if (turn.answer.empty() && form.omits_empty_answers) continue;
    text.add(form.before_answer, true);
    formed.answer_begin = text.size();
    text.add(turn.answer, true);
    formed.answer_end = text.size();
    text.add(form.after_answer, true);
  }
  text.add(form.end, true);
  return formed;
}

// Builds the sequence of a conversation whose questions contain the media placeholders.
class ConversationBuilder {
 public:
  ConversationBuilder(const Tokenizer& tokenizer, const ConversationLayout& layout,
                      std::span<const Turn> turns, std::size_t num_media_turns,
                      std::ptrdiff_t num_media_tokens)
      : tokenizer_(tokenizer),
        layout_(layout),
        turns_(turns),
        num_media_turns_(num_media_turns),
        num_media_tokens_(num_media_tokens),
        max_tokens_(static_cast<std::size_t>(layout.limit.max_tokens)) {
    VLLAMA_ASSERT(layout.limit.max_tokens > 0, "a conversation needs room");
  }

  TokenSequence build() const {
    TokenSequence sequence =
        layout_.limit.truncation == Truncation::cut ? cut() : shortened_with_stop();
    check(sequence);
    return sequence;
  }

 private:
  TokenSequence cut() const {
    TokenSequence sequence = first_turns(turns_.size());
    sequence.shortened = sequence.ids.size() > max_tokens_;
    sequence.ids.resize(std::min(sequence.ids.size(), max_tokens_));
    sequence.labels.resize(sequence.ids.size());
    return sequence;
  }

  // As many whole turns as fit, the last of them with an answer, and all that have media; if that
  // does not fit, the fewest such turns with the last answer shortened. A turn has at least one
  // token, so that the limit bounds the number of attempts.
  TokenSequence shortened_with_stop() const {
    std::size_t num_turns = turns_.size();
    while (num_turns > 0 && !is_answered(num_turns - 1)) --num_turns;
    if (num_turns == 0)
      throw TextError(TextFailure::no_target, "no question of this conversation has an answer");
    if (num_turns < num_media_turns_)
      throw TextError(TextFailure::no_target, "the question with the last medium has no answer");
    TokenSequence sequence = first_turns(num_turns);
    if (sequence.ids.size() <= max_tokens_) return sequence;
    std::optional<TokenSequence> fitting;
    for (num_turns = std::max<std::size_t>(num_media_turns_, 1);
         (sequence = first_turns(num_turns)).ids.size() <= max_tokens_; ++num_turns)
      if (is_answered(num_turns - 1)) fitting = std::move(sequence);
    sequence = fitting ? std::move(*fitting) : shortened_answer(num_turns);
    sequence.shortened = true;
    return sequence;
  }

  bool is_answered(std::size_t turn) const {
    return !(layout_.form->omits_empty_answers && turns_[turn].answer.empty());
  }

  TokenSequence first_turns(std::size_t num_turns) const {
    const FormedText formed = form_text(turns_.first(num_turns), *layout_.form);
    return labelled(tokenizer_.encode_with_spans(formed.labelled.text()), formed);
  }

  // The first turns with the last answer shortened to meet the limit; its ending tokens stay.
  TokenSequence shortened_answer(std::size_t num_turns) const {
    if (!is_answered(num_turns - 1))
      throw TextError(TextFailure::too_long, "questions without an answer exceed the length limit");
    const FormedText formed = form_text(turns_.first(num_turns), *layout_.form);
    auto tokens = tokenizer_.encode_with_spans(formed.labelled.text());
    const std::size_t answer = token_at(tokens, formed.answer_begin);
    const std::size_t ending = token_at(tokens, formed.answer_end);
    const std::size_t num_fixed = 1 + answer + (tokens.size() - ending);  // 1: BOS
    if (num_fixed >= max_tokens_)
      throw TextError(TextFailure::too_long,
                      fmt::format("{} tokens without the answer, where {} are allowed in all",
                                  num_fixed, max_tokens_));
    shorten_before(tokens, ending, answer + max_tokens_ - num_fixed);
    return labelled(tokens, formed);
  }

  TokenSequence labelled(std::span<const Token> tokens, const FormedText& formed) const {
    TokenSequence sequence;
    append_token(sequence, tokenizer_.bos(), false);
    for (const Token& token : tokens)
      append_token(sequence, token.id, formed.labelled.is_learned(deciding_byte(token)));
    return sequence;
  }

  void check(const TokenSequence& sequence) const {
    if (std::ranges::count(sequence.ids, tokenizer_.image_token()) != num_media_tokens_)
      throw TextError(TextFailure::too_long, "the media lie behind the length limit");
    const auto num_ignored = std::ranges::count(sequence.labels, kIgnoredLabel);
    if (static_cast<std::size_t>(num_ignored) == sequence.labels.size())
      throw TextError(TextFailure::no_target, "nothing of this conversation is to be learned");
  }

  const Tokenizer& tokenizer_;
  const ConversationLayout& layout_;
  std::span<const Turn> turns_;
  std::size_t num_media_turns_;  // turns up to the last that has media
  std::ptrdiff_t num_media_tokens_;
  std::size_t max_tokens_;
};

std::string enclosed_media(std::string_view tag, std::int64_t num_media_tokens) {
  std::string text = fmt::format("<{}>", tag);
  for (std::int64_t i = 0; i < num_media_tokens; ++i) text += kImagePlaceholder;
  return text + fmt::format("</{}>", tag);
}

std::ptrdiff_t num_placeholders(std::span<const std::string> media_texts) {
  std::ptrdiff_t count = 0;
  for (const std::string& text : media_texts)
    for (std::size_t at = text.find(kImagePlaceholder); at != std::string::npos;
         at = text.find(kImagePlaceholder, at + kImagePlaceholder.size()))
      ++count;
  return count;
}

// The turns with the texts of their media.
std::vector<Turn> turns_with_media(const Conversation& conversation,
                                   std::span<const std::string> media_texts) {
  if (conversation.turns.empty())
    throw TextError(TextFailure::no_turns, "a conversation without turns");
  std::vector<Turn> turns = conversation.turns;
  for (const Turn& turn : turns) {
    refuse_placeholders(turn.question);
    refuse_placeholders(turn.answer);
  }
  VLLAMA_ASSERT(
      media_texts.size() == conversation.media.size() && std::ranges::is_sorted(conversation.media),
      "every medium has a place and a text, in order");
  for (std::size_t i = media_texts.size(); i-- > 0;) {
    const MediaPlace place = conversation.media[i];
    VLLAMA_ASSERT(place.turn < turns.size() && place.offset <= turns[place.turn].question.size(),
                  "a medium stands in one of the questions");
    turns[place.turn].question.insert(place.offset, media_texts[i]);
  }
  return turns;
}

}  // namespace

std::string image_text(std::int64_t num_media_tokens) {
  return enclosed_media("Image", num_media_tokens);
}

std::string video_text(std::int64_t num_media_tokens, std::string_view time_message) {
  return fmt::format("{} {}", enclosed_media("Video", num_media_tokens), time_message);
}

std::string sound_text(std::int64_t num_media_tokens) {
  return enclosed_media("Audio", num_media_tokens) + " ";
}

TokenSequence build_conversation(const Tokenizer& tokenizer, const Conversation& conversation,
                                 std::span<const std::string> media_texts,
                                 const ConversationLayout& layout) {
  const std::vector<Turn> turns = turns_with_media(conversation, media_texts);
  const auto& places = conversation.media;
  return ConversationBuilder(tokenizer, layout, turns, places.empty() ? 0 : places.back().turn + 1,
                             num_placeholders(media_texts))
      .build();
}

}  // namespace vllama::text
