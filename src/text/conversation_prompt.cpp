// Conversations as training samples.
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "core/error.h"
#include "text/error.h"
#include "text/prompt.h"
#include "text/system_text.h"
#include "text/token_sequence.h"

namespace vllama::text {
namespace {

// A conversation in its layout: the text, and where its last answer lies.
struct LaidOutText {
  PromptText text;
  std::size_t answer_begin = 0, answer_end = 0;
};

// A part of a question: words of the user, or the text of a medium.
struct QuestionPart {
  std::string_view text;
  Author author;
};

struct QuestionAndAnswer {
  std::vector<QuestionPart> question;
  std::string_view answer;
};

Author users(const ConversationLayout& layout) {
  return layout.reads_special_tokens ? Author::prompt_template : Author::user;
}

LaidOutText lay_out(std::span<const QuestionAndAnswer> turns,
                    const ConversationLayout& conversation) {
  const PromptLayout& layout = *conversation.layout;
  const Author author = users(conversation);
  LaidOutText laid_out;
  PromptText& text = laid_out.text;
  const auto add_fixed = [&text](std::string_view part, bool is_learned) {
    text.add(part, Author::prompt_template, is_learned);
  };
  add_system_text(text, layout, conversation.system, author);
  for (const QuestionAndAnswer& turn : turns) {
    if (&turn != turns.data()) add_fixed(layout.between_turns, false);
    add_fixed(layout.turn_mark, true);
    add_fixed(layout.before_question, false);
    for (const QuestionPart& part : turn.question) text.add(part.text, part.author, false);
    add_fixed(layout.after_question, false);
    if (&turn == &turns.back()) add_fixed(layout.before_last_answer, false);
    if (turn.answer.empty() && layout.omits_empty_answers) continue;
    add_fixed(layout.before_answer, true);
    laid_out.answer_begin = text.size();
    text.add(turn.answer, author, true);
    laid_out.answer_end = text.size();
    add_fixed(layout.after_answer, true);
  }
  add_fixed(layout.end, true);
  return laid_out;
}

// Builds the sequence of a conversation whose questions contain the media placeholders.
class ConversationBuilder {
 public:
  ConversationBuilder(const Tokenizer& tokenizer, const ConversationLayout& layout,
                      std::span<const QuestionAndAnswer> turns, std::size_t num_media_turns,
                      std::ptrdiff_t num_media_tokens)
      : tokenizer_(tokenizer),
        layout_(layout),
        turns_(turns),
        num_media_turns_(num_media_turns),
        num_media_tokens_(num_media_tokens),
        max_tokens_(static_cast<std::size_t>(layout.limit.max_tokens)) {
    VLLAMA_ASSERT(layout.layout != nullptr, "a conversation needs a layout");
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
    return !(layout_.layout->omits_empty_answers && turns_[turn].answer.empty());
  }

  TokenSequence first_turns(std::size_t num_turns) const {
    const LaidOutText laid_out = laid_out_turns(num_turns);
    return labelled(tokenizer_.encode_with_spans(laid_out.text), laid_out);
  }

  // The first turns with the last answer shortened to meet the limit; its ending tokens stay.
  TokenSequence shortened_answer(std::size_t num_turns) const {
    if (!is_answered(num_turns - 1))
      throw TextError(TextFailure::too_long, "questions without an answer exceed the length limit");
    const LaidOutText laid_out = laid_out_turns(num_turns);
    auto tokens = tokenizer_.encode_with_spans(laid_out.text);
    const std::size_t answer = token_at(tokens, laid_out.answer_begin);
    const std::size_t ending = token_at(tokens, laid_out.answer_end);
    const std::size_t num_fixed = num_before() + answer + (tokens.size() - ending);
    if (num_fixed >= max_tokens_)
      throw TextError(TextFailure::too_long,
                      fmt::format("{} tokens without the answer, where {} are allowed in all",
                                  num_fixed, max_tokens_));
    shorten_before(tokens, ending, answer + max_tokens_ - num_fixed);
    return labelled(tokens, laid_out);
  }

  LaidOutText laid_out_turns(std::size_t num_turns) const {
    return lay_out(turns_.first(num_turns), layout_);
  }

  // Tokens in front of the text.
  std::size_t num_before() const { return tokenizer_.bos() ? 1 : 0; }

  TokenSequence labelled(std::span<const Token> tokens, const LaidOutText& laid_out) const {
    TokenSequence sequence;
    if (layout_.layout->has_beginning) append_beginning(sequence, tokenizer_);
    for (const Token& token : tokens)
      append_token(sequence, token.id, laid_out.text.is_learned(deciding_byte(token)));
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
  std::span<const QuestionAndAnswer> turns_;
  std::size_t num_media_turns_;  // turns up to the last that has media
  std::ptrdiff_t num_media_tokens_;
  std::size_t max_tokens_;
};

std::ptrdiff_t num_placeholders(std::span<const std::string> media_texts) {
  std::ptrdiff_t count = 0;
  for (const std::string& text : media_texts)
    for (std::size_t at = text.find(kImagePlaceholder); at != std::string::npos;
         at = text.find(kImagePlaceholder, at + kImagePlaceholder.size()))
      ++count;
  return count;
}

void check_texts(const Conversation& conversation, std::span<const std::string> media_texts) {
  if (conversation.turns.empty())
    throw TextError(TextFailure::no_turns, "a conversation without turns");
  for (const Turn& turn : conversation.turns) {
    refuse_placeholders(turn.question);
    refuse_placeholders(turn.answer);
  }
  const auto& places = conversation.media;
  VLLAMA_ASSERT(media_texts.size() == places.size() && std::ranges::is_sorted(places),
                "every medium has a place and a text, in order");
  for (const MediaPlace& place : places)
    VLLAMA_ASSERT(place.turn < conversation.turns.size() &&
                      place.offset <= conversation.turns[place.turn].question.size(),
                  "a medium stands in one of the questions");
}

// The turns with the texts of their media, which both outlive the result.
std::vector<QuestionAndAnswer> turns_with_media(const Conversation& conversation,
                                                std::span<const std::string> media_texts,
                                                Author author) {
  std::vector<QuestionAndAnswer> turns;
  std::size_t next = 0;  // medium
  for (std::size_t i = 0; i < conversation.turns.size(); ++i) {
    const std::string_view question = conversation.turns[i].question;
    QuestionAndAnswer turn{.question = {}, .answer = conversation.turns[i].answer};
    std::size_t begin = 0;
    for (; next < media_texts.size() && conversation.media[next].turn == i; ++next) {
      const std::size_t end = conversation.media[next].offset;
      turn.question.push_back({question.substr(begin, end - begin), author});
      turn.question.push_back({media_texts[next], Author::prompt_template});
      begin = end;
    }
    turn.question.push_back({question.substr(begin), author});
    turns.push_back(std::move(turn));
  }
  return turns;
}

}  // namespace

TokenSequence build_conversation(const Tokenizer& tokenizer, const Conversation& conversation,
                                 std::span<const std::string> media_texts,
                                 const ConversationLayout& layout) {
  check_texts(conversation, media_texts);
  refuse_placeholders(layout.system);
  const auto turns = turns_with_media(conversation, media_texts, users(layout));
  const auto& places = conversation.media;
  return ConversationBuilder(tokenizer, layout, turns, places.empty() ? 0 : places.back().turn + 1,
                             num_placeholders(media_texts))
      .build();
}

}  // namespace vllama::text
