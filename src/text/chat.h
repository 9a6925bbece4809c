// Prompts of a chat: pieces of text between media blocks, and the answer in the generated tokens.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/conversation.h"
#include "text/prompt.h"
#include "text/prompt_template.h"
#include "text/tokenizer.h"

namespace vllama::text {

// The system text of the released demos for an image, or for a video without sound. The demo for
// video with sound has none.
extern const std::string_view kChatSystemText;

enum class ChatMedia { none, image, video, video_with_audio, audio };

// A medium that was shown in the course of a chat, in front of the question of a turn.
struct LaterMedium {
  std::size_t turn = 0;  // of Chat::past; its size is the turn of the question
  ChatMedia kind = ChatMedia::image;
  std::string time_message = {};  // of a video
};

struct Chat {
  std::string system = {};
  ChatMedia media = ChatMedia::none;
  std::string time_message = {};  // of a video
  std::vector<Turn> past =
      {};  // earlier ones may be left out: the media stand before what is first
  std::string question = {};
  std::vector<LaterMedium> later_media = {};  // by turn; in the first turn, behind `media`
};

struct ChatPrompt {
  std::string text;  // with <ImageHere> for each block of media embeddings
  // The token ids around the blocks: block i stands between pieces[i] and pieces[i + 1]. The first
  // piece begins with BOS. Blocks are in the order of the media; a video with sound has two, in the
  // order that the template says.
  std::vector<std::vector<std::int64_t>> pieces;
};

// Throws TextError (reserved_token) if a text contains a placeholder.
ChatPrompt build_chat_prompt(const Tokenizer& tokenizer, const ChatTemplate& form,
                             const Chat& chat);

// The ends of a token sequence at which generation stops: the end token, and the stop text as it is
// tokenised after a space and after a word.
std::vector<std::vector<std::int64_t>> stop_sequences(const Tokenizer& tokenizer,
                                                      const ChatTemplate& form);

// The answer in the generated ids, stop tokens included or not: decoded, cut at the stop text, only
// what follows the role, without white space at the ends.
std::string answer_text(const Tokenizer& tokenizer, const ChatTemplate& form,
                        std::span<const std::int64_t> generated_ids);

}  // namespace vllama::text
