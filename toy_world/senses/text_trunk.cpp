#include "toy_world/senses/text_trunk.h"

#include <ATen/TensorOperators.h>

namespace vllama::toy {
namespace {

constexpr std::int64_t kWidth = 128, kNumHeads = 4, kMlpWidth = 512, kNumBlocks = 2;

}  // namespace

TextTrunk::TextTrunk(std::int64_t num_words, std::int64_t num_positions,
                     std::int64_t embedding_width)
    : words_(num_words, kWidth),
      positions_(num_positions, kWidth),
      blocks_(kNumBlocks,
              encoders::ImageBindBlock({kWidth, kNumHeads, kMlpWidth, /*has_extra_key=*/false})),
      head_(kWidth, embedding_width) {}

void TextTrunk::declare(nn::ParameterList& list) {
  words_.declare(list, "text.words", nn::normal(1));
  positions_.declare(list, "text.positions", nn::normal(0.3));
  for (std::size_t i = 0; i < blocks_.size(); ++i)
    blocks_[i].declare(list, "text.blocks." + std::to_string(i));
  head_.declare(list, "text.head");
}

at::Tensor TextTrunk::operator()(const at::Tensor& words_NL) const {
  const at::Tensor tokens_NLD = words_(words_NL) + positions_.weight_RW;
  const auto captions = nn::Segments::equal(words_NL.size(0), words_NL.size(1));
  at::Tensor tokens_RD = tokens_NLD.flatten(0, 1);
  for (const encoders::ImageBindBlock& block : blocks_) tokens_RD = block(tokens_RD, captions);
  return head_(tokens_RD.view_as(tokens_NLD));
}

}  // namespace vllama::toy
