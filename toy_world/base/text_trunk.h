// A small encoder of captions, which teaches the vision trunk and is thrown away.
#pragma once

#include "models/image_bind_block.h"

namespace vllama::toy {

class TextTrunk {
 public:
  TextTrunk(std::int64_t num_words, std::int64_t num_positions, std::int64_t embedding_width);

  void declare(nn::ParameterList& list);

  // words_NL int64, the start first -> [N, E], every row of length 1.
  at::Tensor operator()(const at::Tensor& words_NL) const;

 private:
  nn::Embedding words_, positions_;
  std::vector<models::ImageBindBlock> blocks_;
  models::ImageBindHead head_;
};

}  // namespace vllama::toy
