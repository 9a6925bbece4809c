// tokenizer.model: whether it is let through to SentencePiece, and what is then done with it.
#include <numeric>

#include "text/tokenizers/model_file.h"
#include "text/tokenizers/sentencepiece_tokenizer.h"
#include "tools/fuzz/input.h"

using namespace vllama;
using namespace vllama::fuzz;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static InputFile file(process_folder() / "tokenizer.model");
  const Input input(data, size);
  const auto& path = file.write(input.rest());
  answers([&] {
    const std::vector<std::byte> bytes = exact(input.rest());
    text::check_model_file({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, "model");
  });
  answers([&] {
    const text::SentencePieceTokenizer tokenizer(path);
    const auto tokens = tokenizer.encode("A red circle, 12 <ImageHere> \xC3\xA9\xFF</s> moves.");
    tokenizer.decode(tokens);
    std::vector<std::int64_t> all(static_cast<std::size_t>(tokenizer.size()) + 3);
    std::iota(all.begin(), all.end(), -1);
    tokenizer.decode(all);
  });
  return 0;
}
