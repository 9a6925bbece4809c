// Whisper's encoder (arXiv 2212.04356): two convolutions over a mel spectrogram, positions,
// pre-norm transformer blocks and a norm. Shapes: N pieces of sound, M mel bins, T = 2 L mel
// frames, L tokens a piece, D width.
#pragma once

#include <vector>

#include "encoders/pre_norm_block.h"
#include "encoders/whisper.h"

namespace vllama::encoders {

class WhisperTrunk {
 public:
  // declare() throws UserError for sizes that do not fit together.
  explicit WhisperTrunk(const WhisperConfig& config);

  // Names as in a published checkpoint, behind `prefix`.
  void declare(nn::ParameterList& list, const std::string& prefix);

  // Of the blocks, by those names.
  std::vector<nn::NamedLinear> block_matrices(const std::string& prefix);

  // mel_NMT in the weights' type -> [N * L, D]
  at::Tensor operator()(const at::Tensor& mel_NMT) const;

  // Keeps the first of the positions that were read, as many as a piece has tokens.
  void fit_positions();

  at::ScalarType dtype() const { return positions_LD_.scalar_type(); }
  const WhisperConfig& config() const { return config_; }

 private:
  struct Convolution {
    std::int64_t stride;
    at::Tensor kernel_DM3 = {}, bias_D = {};

    void declare(nn::ParameterList& list, const std::string& prefix, std::int64_t inputs,
                 std::int64_t outputs);
    at::Tensor operator()(const at::Tensor& values_NMT) const;
  };

  WhisperConfig config_;
  Convolution first_{.stride = 1}, second_{.stride = 2};
  at::Tensor positions_LD_;
  std::vector<PreNormBlock> blocks_;
  nn::LayerNorm norm_;
};

}  // namespace vllama::encoders
