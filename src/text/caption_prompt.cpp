// Captions as training samples, and the prompts in front of them.
#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"
#include "core/text_encoding.h"
#include "text/error.h"
#include "text/prompt.h"
#include "text/token_sequence.h"

namespace vllama::text {
namespace {

std::size_t count(std::string_view text, std::string_view pattern) {
  std::size_t found = 0;
  for (auto at = text.find(pattern); at != std::string_view::npos;
       at = text.find(pattern, at + pattern.size()))
    ++found;
  return found;
}

void append_caption(TokenSequence& sequence, const Tokenizer& tokenizer, std::string_view caption,
                    const CaptionLayout& layout) {
  refuse_placeholders(caption);
  PromptText text;
  text.add(caption, layout.reads_special_tokens ? Author::prompt_template : Author::user);
  text.add(layout.end_sign, Author::prompt_template);
  auto tokens = tokenizer.encode_with_spans(text);
  VLLAMA_ASSERT(layout.limit.max_tokens > 0, "a caption needs room");
  const auto max_tokens = static_cast<std::size_t>(layout.limit.max_tokens);
  sequence.shortened = tokens.size() > max_tokens;
  if (sequence.shortened && layout.limit.truncation == Truncation::cut) tokens.resize(max_tokens);
  if (sequence.shortened && layout.limit.truncation == Truncation::keep_stop) {
    const std::size_t ending = token_at(tokens, caption.size());
    const std::size_t num_ending = tokens.size() - ending;
    if (num_ending >= max_tokens)
      throw UserError(fmt::format(
          "a caption may have {} tokens, of which its end sign takes {}: raise the limit",
          max_tokens, num_ending));
    shorten_before(tokens, ending, max_tokens - num_ending);
  }
  for (const Token& token : tokens) append_token(sequence, token.id, true);
}

CaptionPrompt split_prompt(std::string_view line, std::string_view prompt_template) {
  std::string text(prompt_template);
  text.replace(text.find("{}"), 2, line);
  const std::size_t media = text.find(kImagePlaceholder);
  return {text.substr(0, media), text.substr(media + kImagePlaceholder.size())};
}

}  // namespace

std::string unescape_newlines(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool is_escaped = text.substr(i, 2) == "\\n";
    result += is_escaped ? '\n' : text[i];
    i += is_escaped;
  }
  return result;
}

std::vector<CaptionPrompt> read_caption_prompts(const std::filesystem::path& prompt_file,
                                                std::string_view prompt_template) {
  if (count(prompt_template, "{}") != 1 || count(prompt_template, kImagePlaceholder) != 0 ||
      count(prompt_template, kAudioPlaceholder) != 0)
    throw UserError(
        fmt::format("the prompt template '{}' must contain {{}} once, and no placeholder for media",
                    prompt_template));
  const std::string content = read_text_file(prompt_file);
  std::vector<CaptionPrompt> prompts;
  std::size_t line_number = 0;
  for (std::size_t begin = 0; begin < content.size();) {
    const std::size_t end = std::min(content.find('\n', begin), content.size());
    std::string_view line = std::string_view(content).substr(begin, end - begin);
    if (line.ends_with('\r')) line.remove_suffix(1);
    begin = end + 1;
    ++line_number;
    const std::size_t num_media = count(line, kImagePlaceholder);
    if (num_media > 1 || count(line, kAudioPlaceholder) > 0)
      throw UserError(fmt::format("{}:{}: a prompt must contain {} once, and no {}",
                                  prompt_file.string(), line_number, kImagePlaceholder,
                                  kAudioPlaceholder));
    if (num_media == 1) prompts.push_back(split_prompt(line, prompt_template));
  }
  if (prompts.empty())
    throw UserError(
        fmt::format("'{}' has no line with {}", prompt_file.string(), kImagePlaceholder));
  return prompts;
}

TokenSequence build_caption(const Tokenizer& tokenizer, std::string_view caption,
                            const CaptionLayout& layout, const CaptionPrompt& prompt) {
  TokenSequence sequence;
  append_beginning(sequence, tokenizer);
  for (const std::int64_t id : tokenizer.encode(prompt.before)) append_token(sequence, id, false);
  append_media(sequence, tokenizer, layout.num_media_tokens);
  for (const std::int64_t id : tokenizer.encode(prompt.after)) append_token(sequence, id, false);
  append_caption(sequence, tokenizer, caption, layout);
  return sequence;
}

}  // namespace vllama::text
