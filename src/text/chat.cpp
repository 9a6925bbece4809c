#include "text/chat.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"
#include "text/labelled_text.h"
#include "text/unicode.h"

namespace vllama::text {
namespace {

// The runs of spaces are part of the released prompt.
const std::string kSound =
    "Close your eyes, open your ears and you imagine only based on the sound that: <ImageHere>. ";
const std::string kSoundAndVideo = fmt::format(
    "{1}{0}Close your ears, open your eyes and you see that <Video><ImageHere></Video>.  "
    "{0}Now answer my question based on what you have just seen and heard.",
    std::string(16, ' '), kSound);

std::string media_text(const ChatTemplate& form, ChatMedia media, const std::string& time_message) {
  const std::string video = "<Video><ImageHere></Video> " + time_message + form.after_video;
  const std::string trained_sound = "<Audio><ImageHere></Audio> ";
  switch (media) {
    case ChatMedia::none:
      return "";
    case ChatMedia::image:
      return "<Image><ImageHere></Image>" + form.after_image;
    case ChatMedia::video:
      return video;
    case ChatMedia::video_with_audio:
      return form.sound_first ? kSoundAndVideo + ' ' : video + trained_sound;
    case ChatMedia::audio:
      return form.sound_first ? kSound : trained_sound;
  }
  throw InternalError("unknown ChatMedia");
}

std::string prompt_text(const ChatTemplate& form, const Chat& chat) {
  std::string text = form.before_system;
  if (form.takes_system_text) text += chat.system;
  text += form.after_system;
  const auto before_question = [&](std::size_t turn) {
    std::string before = (turn == 0 ? "" : form.between_turns) + form.before_question;
    if (turn == 0) before += media_text(form, chat.media, chat.time_message);
    for (const LaterMedium& medium : chat.later_media)
      if (medium.turn == turn) before += media_text(form, medium.kind, medium.time_message);
    return before;
  };
  for (std::size_t i = 0; i < chat.past.size(); ++i) {
    text += before_question(i) + chat.past[i].question + form.after_question;
    text += form.before_answer + chat.past[i].answer + form.after_answer;
  }
  const auto num_kept = form.before_answer.find_last_not_of(' ') + 1;
  return text + before_question(chat.past.size()) + chat.question + form.after_question +
         form.before_answer.substr(0, num_kept);
}

}  // namespace

const std::string_view kChatSystemText =
    "You are able to understand the visual content that the user provides. Follow the instructions "
    "carefully and explain your answers in detail.";

ChatPrompt build_chat_prompt(const Tokenizer& tokenizer, const ChatTemplate& form,
                             const Chat& chat) {
  refuse_placeholders(chat.system);
  refuse_placeholders(chat.question);
  for (const Turn& turn : chat.past) {
    refuse_placeholders(turn.question);
    refuse_placeholders(turn.answer);
  }
  ChatPrompt prompt{.text = prompt_text(form, chat), .pieces = {}};
  std::string_view rest = prompt.text;
  for (bool is_last = false; !is_last;) {
    const std::size_t end = rest.find(kImagePlaceholder);
    is_last = end == std::string_view::npos;
    std::vector<std::int64_t> piece = tokenizer.encode(rest.substr(0, end));
    if (prompt.pieces.empty()) piece.insert(piece.begin(), tokenizer.bos());
    prompt.pieces.push_back(std::move(piece));
    if (!is_last) rest.remove_prefix(end + kImagePlaceholder.size());
  }
  return prompt;
}

std::vector<std::vector<std::int64_t>> stop_sequences(const Tokenizer& tokenizer,
                                                      const ChatTemplate& form) {
  std::vector<std::int64_t> after_word;
  for (const Token& token : tokenizer.encode_with_spans("a" + form.stop_text))
    if (token.begin > 0) after_word.push_back(token.id);
  std::vector<std::vector<std::int64_t>> sequences = {{tokenizer.eos()}};
  for (auto& sequence : {tokenizer.encode(form.stop_text), after_word})
    if (std::ranges::find(sequences, sequence) == sequences.end()) sequences.push_back(sequence);
  return sequences;
}

std::string answer_text(const Tokenizer& tokenizer, const ChatTemplate& form,
                        std::span<const std::int64_t> generated_ids) {
  for (const std::int64_t id : {tokenizer.unknown(), tokenizer.bos()})
    if (!generated_ids.empty() && generated_ids.front() == id)
      generated_ids = generated_ids.subspan(1);
  const std::string decoded = tokenizer.decode(generated_ids);
  std::string_view answer = decoded;
  answer = answer.substr(0, answer.find(form.stop_text));
  const std::size_t role = answer.rfind(form.answer_role);
  if (role != std::string_view::npos) answer.remove_prefix(role + form.answer_role.size());
  return std::string(strip_right(strip_left(answer)));
}

}  // namespace vllama::text
