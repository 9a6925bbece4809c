#include "text/chat.h"

#include <fmt/format.h>

#include <algorithm>

#include "text/system_text.h"
#include "text/token_sequence.h"
#include "text/tokenizers/unicode.h"

namespace vllama::text {
namespace {

std::string one_block(const MediaWrap& wrap) {
  return fmt::format("{}{}{}", wrap.before, kImagePlaceholder, wrap.after);
}

std::string media_text(const PromptLayout& layout, const ChatMedium& medium) {
  if (medium.kind == MediaKind::image)
    return fmt::format("{}{}", one_block(layout.image), layout.after_image);
  if (medium.kind == MediaKind::sound) return one_block(layout.sound);
  if (medium.has_sound && layout.sound_first)
    return one_block(layout.sound) + one_block(layout.frames_behind_sound);
  return fmt::format("{}{}{}{}", one_block(layout.video), medium.time_message, layout.after_times,
                     medium.has_sound ? one_block(layout.sound) : "");
}

PromptText prompt_text(const PromptLayout& layout, const Chat& chat) {
  PromptText text;
  const auto add_fixed = [&text](std::string_view part) {
    text.add(part, Author::prompt_template);
  };
  const Author speaker = chat.reads_special_tokens ? Author::prompt_template : Author::user;
  const auto add_said = [&text, speaker](std::string_view part) { text.add(part, speaker); };
  add_system_text(text, layout, chat.system, speaker);
  const auto add_question = [&](std::size_t turn, std::string_view question) {
    if (turn > 0) add_fixed(layout.between_turns);
    add_fixed(layout.turn_mark);
    add_fixed(layout.before_question);
    for (const ChatMedium& medium : chat.media)
      if (medium.turn == turn) add_fixed(media_text(layout, medium));
    add_said(question);
    add_fixed(layout.after_question);
  };
  for (std::size_t i = 0; i < chat.past.size(); ++i) {
    add_question(i, chat.past[i].question);
    add_fixed(layout.before_answer);
    add_said(chat.past[i].answer);
    add_fixed(layout.after_answer);
  }
  add_question(chat.past.size(), chat.question);
  add_fixed(layout.before_last_answer);
  add_fixed(layout.before_answer.substr(0, layout.before_answer.find_last_not_of(' ') + 1));
  return text;
}

}  // namespace

const std::string_view kChatSystemText =
    "You are able to understand the visual content that the user provides. Follow the instructions "
    "carefully and explain your answers in detail.";

ChatPrompt build_chat_prompt(const Tokenizer& tokenizer, const PromptLayout& layout,
                             const Chat& chat) {
  refuse_placeholders(chat.system);
  refuse_placeholders(chat.question);
  for (const Turn& turn : chat.past) {
    refuse_placeholders(turn.question);
    refuse_placeholders(turn.answer);
  }
  const PromptText text = prompt_text(layout, chat);
  ChatPrompt prompt{.text = text.text(), .pieces = {}};
  for (std::size_t begin = 0, end = 0; end < text.size(); begin = end + kImagePlaceholder.size()) {
    end = std::min(prompt.text.find(kImagePlaceholder, begin), text.size());
    prompt.pieces.push_back(tokenizer.encode(text.part(begin, end)));
  }
  if (const auto bos = tokenizer.bos(); bos && layout.has_beginning)
    prompt.pieces.front().insert(prompt.pieces.front().begin(), *bos);
  return prompt;
}

std::vector<std::vector<std::int64_t>> stop_sequences(const Tokenizer& tokenizer,
                                                      const PromptLayout& layout) {
  std::vector<std::int64_t> after_word;
  for (const Token& token :
       tokenizer.encode_with_spans(PromptText(fmt::format("a{}", layout.stop_text))))
    if (token.begin > 0) after_word.push_back(token.id);
  std::vector<std::vector<std::int64_t>> sequences;
  for (const std::int64_t end : tokenizer.ends()) sequences.push_back({end});
  for (auto& sequence : {tokenizer.encode(layout.stop_text), after_word})
    if (std::ranges::find(sequences, sequence) == sequences.end()) sequences.push_back(sequence);
  return sequences;
}

std::span<const std::int64_t> without_beginning(const Tokenizer& tokenizer,
                                                std::span<const std::int64_t> generated_ids) {
  for (const auto& id : {tokenizer.unknown(), tokenizer.bos()})
    if (id && !generated_ids.empty() && generated_ids.front() == *id)
      generated_ids = generated_ids.subspan(1);
  return generated_ids;
}

std::string answer_in(const Tokenizer& tokenizer, const PromptLayout& layout,
                      std::span<const std::int64_t> generated_ids) {
  const std::string decoded = tokenizer.decode(without_beginning(tokenizer, generated_ids));
  std::string_view answer = decoded;
  answer = answer.substr(0, answer.find(layout.stop_text));
  const std::size_t role =
      layout.answer_role.empty() ? std::string_view::npos : answer.rfind(layout.answer_role);
  if (role != std::string_view::npos) answer.remove_prefix(role + layout.answer_role.size());
  return std::string(strip_right(strip_left(answer)));
}

}  // namespace vllama::text
