// Whisper's encoder (arXiv 2212.04356): two convolutions over a mel spectrogram, positions,
// pre-norm transformer blocks and a norm. Shapes: N pieces of sound, M mel bins, T = 2 L mel
// frames, L tokens a piece, D width.
#pragma once

#include <vector>

#include "encoders/whisper.h"
#include "nn/linear.h"
#include "nn/norm.h"
#include "nn/segments.h"

namespace vllama::encoders {

struct WhisperBlock {
  nn::LayerNorm attention_norm;
  nn::Linear query, key, value, output;  // keys have no bias
  nn::LayerNorm mlp_norm;
  nn::Linear fc1, fc2;
  std::int64_t num_heads;

  explicit WhisperBlock(const WhisperConfig& config);
  void declare(nn::ParameterList& list, const std::string& prefix);
  at::Tensor operator()(const at::Tensor& tokens_RD, const nn::Segments& pieces) const;
};

class WhisperTrunk {
 public:
  // declare() throws UserError for sizes that do not fit together.
  explicit WhisperTrunk(const WhisperConfig& config);

  // Names as in a published checkpoint, behind `prefix`.
  void declare(nn::ParameterList& list, const std::string& prefix);

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
  std::vector<WhisperBlock> blocks_;
  nn::LayerNorm norm_;
};

}  // namespace vllama::encoders
