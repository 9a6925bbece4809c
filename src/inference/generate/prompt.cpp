#include "inference/generate/prompt.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/tensor.h>
#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"

namespace vllama::inference {

Prompt make_prompt(const language::Llama& model, std::span<const std::vector<std::int64_t>> pieces,
                   std::span<const at::Tensor> media_blocks, std::uint64_t id,
                   std::span<const std::int64_t> first_media_numbers) {
  VLLAMA_ASSERT(pieces.size() == media_blocks.size() + 1,
                fmt::format("pieces of text stand around the media: {} around {}", pieces.size(),
                            media_blocks.size()));
  const std::int64_t num_tokens = model.config().vocabulary_size;
  Prompt prompt{.id = id, .inputs_TH = {}, .ids = {}};
  std::vector<at::Tensor> parts;
  std::int64_t next_media = 0;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    const auto largest = std::ranges::max_element(pieces[i]);
    if (largest != pieces[i].end() && *largest >= num_tokens)
      throw UserError(
          fmt::format("the prompt has token {}, but the language model has only {} rows of "
                      "embeddings: tokenizer and weights do not belong together",
                      *largest, num_tokens));
    prompt.ids.insert(prompt.ids.end(), pieces[i].begin(), pieces[i].end());
    if (!pieces[i].empty())
      parts.push_back(model.embed(at::tensor(pieces[i], at::kLong).to(model.head().device())));
    if (i == media_blocks.size()) break;
    if (!first_media_numbers.empty()) next_media = first_media_numbers[i];
    for (std::int64_t n = 0; n < media_blocks[i].size(0); ++n)
      prompt.ids.push_back(kMediaId - next_media++);
    parts.push_back(media_blocks[i].to(model.head().device(), model.dtype()));
  }
  VLLAMA_ASSERT(!parts.empty(), "a prompt has at least one row");
  prompt.inputs_TH = at::cat(parts);
  return prompt;
}

}  // namespace vllama::inference
