// The LLaMA decoder: RMSNorm, rotary attention with grouped heads, gated feed-forward; packed
// sequences. Shapes: T tokens of all sequences end to end, H width, A query heads, G key/value
// heads, K head width.
#pragma once

#include "models/llama_config.h"
#include "nn/linear.h"
#include "nn/norm.h"
#include "nn/rotary.h"
#include "nn/segments.h"

namespace vllama::models {

struct LlamaLayer {
  nn::RmsNorm attention_norm;
  nn::Linear query, key, value, output;
  nn::RmsNorm mlp_norm;
  nn::Linear gate, up, down;
  std::int64_t head_width;

  explicit LlamaLayer(const LlamaConfig& config);
  void declare(nn::ParameterList& list, const std::string& prefix);
  at::Tensor operator()(const at::Tensor& hidden_TH, const nn::RotaryEmbedding::Angles& angles,
                        const nn::Segments& sequences) const;

 private:
  at::Tensor attend(const at::Tensor& normed_TH, const nn::RotaryEmbedding::Angles& angles,
                    const nn::Segments& sequences) const;
};

class Llama {
 public:
  explicit Llama(const LlamaConfig& config);

  // Names as in the Hugging Face files, behind `prefix`.
  void declare(nn::ParameterList& list, const std::string& prefix = "");

  // To be called once the weights have their dtype and device: builds the rotary tables.
  void prepare(at::ScalarType dtype, at::Device device);

  // token_ids_T int64 in [0, V) -> [T, H]
  at::Tensor embed(const at::Tensor& token_ids_T) const { return embeddings_(token_ids_T); }

  // inputs_TH, sequences end to end, positions counted from 0 in each -> hidden [T, H] after the
  // last layer, before the final norm. With recompute_layers the layers keep only their inputs for
  // backward.
  at::Tensor hidden(const at::Tensor& inputs_TH, const nn::Segments& sequences,
                    bool recompute_layers = false) const;

  // The final norm, on any rows.
  at::Tensor final_norm(const at::Tensor& hidden_MH) const { return final_norm_(hidden_MH); }

  // The output matrix [V, H]: logits = normed hidden x head^T.
  const at::Tensor& head() const;

  const LlamaConfig& config() const { return config_; }
  const std::vector<LlamaLayer>& layers() const { return layers_; }
  nn::RotaryEmbedding::Angles angles(const nn::Segments& sequences, at::Device device) const;

 private:
  LlamaConfig config_;
  nn::Embedding embeddings_;
  std::vector<LlamaLayer> layers_;
  nn::RmsNorm final_norm_;
  nn::Linear head_;
  nn::RotaryEmbedding rotary_;
};

}  // namespace vllama::models
