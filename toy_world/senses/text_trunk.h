// A small encoder of captions, which teaches the vision trunk and is thrown away.
#pragma once

#include "encoders/image_bind_block.h"

namespace vllama::toy {

class TextTrunk {
 public:
  TextTrunk(std::int64_t num_words, std::int64_t num_positions, std::int64_t embedding_width);

  void declare(nn::ParameterList& list);

  // words_NL int64, the start first -> [N, E], every row of length 1.
  at::Tensor operator()(const at::Tensor& words_NL) const;

 private:
  nn::Embedding words_, positions_;
  std::vector<encoders::ImageBindBlock> blocks_;
  encoders::ImageBindHead head_;
};

}  // namespace vllama::toy
