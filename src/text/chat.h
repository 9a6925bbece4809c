// Prompts of a chat: pieces of text between media blocks, and the answer in the generated tokens.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/media_kind.h"
#include "text/conversation.h"
#include "text/prompt_template.h"
#include "text/tokenizers/tokenizer.h"

namespace vllama::text {

// The system text of the released demos for an image, or for a video without sound. The demo for
// video with sound has none.
extern const std::string_view kChatSystemText;

// A medium that is shown in front of the question of a turn.
struct ChatMedium {
  std::size_t turn = 0;  // of Chat::past; its size is the turn of the question
  MediaKind kind = MediaKind::image;
  bool has_sound = false;         // a video that is heard too: two blocks of embeddings
  std::string time_message = {};  // of a video
};

struct Chat {
  std::string system = {};
  std::vector<Turn> past = {};  // earlier ones may be left out
  std::string question = {};
  std::vector<ChatMedium> media = {};  // by turn
  // Special tokens count in what users and model have said, too, as in the Python original.
  bool reads_special_tokens = false;
};

struct ChatPrompt {
  std::string text;  // with <ImageHere> for each block of media embeddings
  // The token ids around the blocks: block i stands between pieces[i] and pieces[i + 1]. The first
  // piece begins with the tokenizer's beginning. Blocks are in the order of the media; a video with
  // sound has two, in the order that the layout says.
  std::vector<std::vector<std::int64_t>> pieces;
};

// Throws TextError (reserved_token) if a text contains a placeholder.
ChatPrompt build_chat_prompt(const Tokenizer& tokenizer, const PromptLayout& layout,
                             const Chat& chat);

// The ends of a token sequence at which generation stops: the end tokens, and the stop text as it
// is tokenised after a space and after a word.
std::vector<std::vector<std::int64_t>> stop_sequences(const Tokenizer& tokenizer,
                                                      const PromptLayout& layout);

// Generated ids without what a model means nothing by in front of an answer: an unknown token, then
// a beginning, as the released ones write them.
std::span<const std::int64_t> without_beginning(const Tokenizer& tokenizer,
                                                std::span<const std::int64_t> generated_ids);

// The answer in the generated ids, stop tokens included or not: decoded, cut at the stop text, only
// what follows the role, without white space at the ends.
std::string answer_in(const Tokenizer& tokenizer, const PromptLayout& layout,
                      std::span<const std::int64_t> generated_ids);

}  // namespace vllama::text
