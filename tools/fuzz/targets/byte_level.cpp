// tokenizer.json: whether it is a vocabulary that is read here, and what is then done with it.
#include <numeric>

#include "text/tokenizers/open_tokenizer.h"
#include "tools/fuzz/input.h"

using namespace vllama;
using namespace vllama::fuzz;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static InputFile file(process_folder() / "tokenizer.json");
  static const bool has_end = [] {
    write_fixed(process_folder() / "config.json", R"({"eos_token_id": [0, 1, 2, 257]})");
    return true;
  }();
  const Input input(data, size);
  const auto& path = file.write(input.rest());
  answers([&] {
    require(has_end, "a file that names an end");
    const auto opened = text::open_tokenizer(path.parent_path());
    const text::Tokenizer& tokenizer = *opened;
    const std::string text =
        "A red circle's, 12 <ImageHere> \xC3\xA9\xFF<|im_end|> e\xCC\x81 moves.\r\n\n ";
    std::size_t end = 0;
    for (const text::Token& token : tokenizer.encode_with_spans(text::PromptText(text))) {
      require(token.begin >= end && token.end >= token.begin, "tokens in order");
      end = token.end;
    }
    require(end <= text.size(), "tokens inside of their text");
    tokenizer.decode(tokenizer.encode(text));
    std::vector<std::int64_t> all(
        static_cast<std::size_t>(std::min<std::int64_t>(tokenizer.size(), 5000)) + 3);
    std::iota(all.begin(), all.end(), -1);
    tokenizer.decode(all);
  });
  return 0;
}
