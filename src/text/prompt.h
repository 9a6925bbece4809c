// Training samples as token ids with labels: captions, captions behind a prompt, conversations.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/conversation.h"
#include "text/prompt_template.h"
#include "text/tokenizers/tokenizer.h"

namespace vllama::text {

inline constexpr std::int64_t kIgnoredLabel = -100;

// `ids` and `labels` have the same length. Media embeddings go where ids equal
// tokenizer.image_token(). labels[i] == ids[i] where the token is to be learned, else
// kIgnoredLabel.
struct TokenSequence {
  std::vector<std::int64_t> ids, labels;
  bool shortened = false;  // turns or the end of a text were left out to meet the length limit
};

// What happens to a text over the length limit.
enum class Truncation {
  keep_stop,  // whole trailing turns go, then the end of the answer; the stop tokens stay
  cut,        // everything behind the limit goes, stop tokens too: the published behaviour
};

struct LengthLimit {
  std::int64_t max_tokens;
  Truncation truncation = Truncation::keep_stop;
};

// What stands around the media in front of a caption; both empty in the first training stage.
struct CaptionPrompt {
  std::string before, after;
};

// Replaces the two characters \n by a newline, as prompt_template and end_sym need it when they
// were written in single quotes.
std::string unescape_newlines(std::string_view text);

// The lines of `prompt_file` that contain <ImageHere>, each put in the place of `{}` in
// `prompt_template` and split at <ImageHere>. Throws UserError naming file and line.
std::vector<CaptionPrompt> read_caption_prompts(const std::filesystem::path& prompt_file,
                                                std::string_view prompt_template);

struct CaptionLayout {
  std::int64_t num_media_tokens = 32;
  std::string end_sign = "\n";
  LengthLimit limit{.max_tokens = 32};  // of caption and end sign, without BOS, prompt and media
  // Special tokens count in captions, too, as in the Python original.
  bool reads_special_tokens = false;
};

// The beginning, prompt.before, media, prompt.after, caption, end sign, each encoded on its own;
// caption and end sign are the targets. Throws TextError (reserved_token), or UserError if the
// limit has no room for more than the end sign.
TokenSequence build_caption(const Tokenizer& tokenizer, std::string_view caption,
                            const CaptionLayout& layout, const CaptionPrompt& prompt = {});

struct ConversationLayout {
  const PromptLayout* layout = nullptr;  // required
  LengthLimit limit{.max_tokens = 512};  // of the whole sequence
  // Special tokens count in what data sets say, too, as in the Python original.
  bool reads_special_tokens = false;
  std::string system = {};  // of all conversations (text/system_text.h)
};

// `media_texts[i]` is the text of medium i (PromptLayout::media_text), one for each place of the
// conversation. Throws
// TextError (no_turns, reserved_token, too_long, no_target). No text that holds media is ever cut:
// where they do not fit, the sample is too_long.
TokenSequence build_conversation(const Tokenizer& tokenizer, const Conversation& conversation,
                                 std::span<const std::string> media_texts,
                                 const ConversationLayout& layout);

}  // namespace vllama::text
