// Texts of annotations on their way to the model: clean-up, conversations with media tags, tokens.
#include "text/caption.h"
#include "text/error.h"
#include "text/tokenizers/sentencepiece_tokenizer.h"
#include "text/tokenizers/unicode.h"
#include "tools/fuzz/input.h"

using namespace vllama;
using namespace vllama::fuzz;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const text::SentencePieceTokenizer tokenizer("tests/golden/text/llama_tokenizer.model");
  const std::vector<std::byte> bytes = exact(Input(data, size).rest());
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const std::string cleaned = text::CaptionCleaner{.max_words = 8, .prompt = "a"}(text);
  text::strip_right(text::strip_left(text));
  // As the text of a template, whose special tokens count, and as that of a user.
  for (const text::Author author : {text::Author::prompt_template, text::Author::user})
    answers([&] {
      text::PromptText prompt;
      prompt.add(text, author, /*is_learned=*/false);
      const auto tokens = tokenizer.encode_with_spans(prompt);
      std::vector<std::int64_t> ids;
      std::size_t end = 0;
      for (const text::Token& token : tokens) {
        require(token.begin <= token.end && token.end <= text.size(), "a token lies in the text");
        require(token.begin >= end, "tokens come in the order of the text");
        end = token.end;
        ids.push_back(token.id);
      }
      tokenizer.decode(ids);
      tokenizer.encode(cleaned);
    });
  return 0;
}
