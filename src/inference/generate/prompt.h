// What an answer is made to: what the language model reads first.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <vector>

#include "language/llama.h"

namespace vllama::inference {

struct Prompt {
  // Names the random numbers of the answer; the place in the batch does not.
  std::uint64_t id = 0;
  at::Tensor inputs_TH;  // token and media embeddings, in the model's type
  // What each row of them is of: a token, or kMediaId minus the number of the media embedding in
  // the whole conversation. Equal beginnings of two prompts are computed once.
  std::vector<std::int64_t> ids;

  std::int64_t length() const { return static_cast<std::int64_t>(ids.size()); }
};
inline constexpr std::int64_t kMediaId = -1;

// Pieces of text around blocks of media embeddings [M, H]: block i stands between pieces[i] and
// pieces[i + 1]. `first_media_numbers[i]` is the number of block i's first embedding, by
// default counted through. Throws UserError if a token has no row in the embedding table.
Prompt make_prompt(const language::Llama& model, std::span<const std::vector<std::int64_t>> pieces,
                   std::span<const at::Tensor> media_blocks, std::uint64_t id = 0,
                   std::span<const std::int64_t> first_media_numbers = {});

}  // namespace vllama::inference
