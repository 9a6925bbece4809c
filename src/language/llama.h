// The LLaMA decoder: RMSNorm, rotary attention with grouped heads, gated feed-forward; packed
// sequences. Shapes: T tokens of all sequences end to end, H width, A query heads, G key/value
// heads, K head width.
#pragma once

#include <memory>
#include <vector>

#include "language/key_value_cache.h"
#include "language/llama_config.h"
#include "language/lora_config.h"
#include "nn/adapters.h"
#include "nn/linear.h"
#include "nn/norm.h"
#include "nn/rotary.h"
#include "nn/segments.h"
#include "nn/sharded_tensors.h"

namespace vllama::language {

struct LlamaLayer {
  nn::RmsNorm attention_norm;
  nn::Linear query, key, value, output;
  std::optional<nn::RmsNorm> query_norm, key_norm;  // of each head, before it is rotated
  nn::RmsNorm mlp_norm;
  nn::Linear gate, up, down;
  std::int64_t head_width;

  explicit LlamaLayer(const LlamaConfig& config);
  void declare(nn::ParameterList& list, const std::string& prefix);

  // The matrices, in the order of the files, by their names within the layer behind `prefix`.
  std::vector<nn::NamedLinear> projections(const std::string& prefix = "");

  at::Tensor operator()(const at::Tensor& hidden_TH, const nn::RotaryEmbedding::Angles& angles,
                        const nn::Segments& sequences) const;

  // The same for new tokens of sequences whose earlier ones are in `cache`, which gets the new
  // ones.
  at::Tensor extend(const at::Tensor& hidden_TH, const nn::RotaryEmbedding::Angles& angles,
                    const nn::NewTokens& tokens, const nn::LayerCache& cache) const;

 private:
  struct Heads {
    at::Tensor q_TAK, k_TGK, v_TGK;
  };
  Heads heads(const at::Tensor& normed_TH, const nn::RotaryEmbedding::Angles& angles) const;
  at::Tensor feed_forward(const at::Tensor& attended_TH) const;
  void normalise_heads(at::Tensor& heads_RX) const;
  bool has_step_kernels(const at::Tensor& hidden_TH) const;
  at::Tensor step(const at::Tensor& hidden_RH, const nn::RotaryEmbedding::Angles& angles,
                  const nn::NewTokens& tokens, const nn::LayerCache& cache) const;
  at::Tensor attend(const at::Tensor& normed_TH, const nn::RotaryEmbedding::Angles& angles,
                    const nn::Segments& sequences) const;
};

class LayerShards;

class Llama {
 public:
  // With `lora`, every matrix it names gets an adapter. Throws UserError if it names none.
  explicit Llama(const LlamaConfig& config, const std::optional<LoraConfig>& lora = {});
  ~Llama();

  // Names as in the Hugging Face files, behind `prefix`.
  void declare(nn::ParameterList& list, const std::string& prefix = "");

  // The adapters: "<prefix>model.layers.N.self_attn.q_proj.lora_A.weight", lora_B.weight, and so on
  // through the layers. These are peft's names without its own prefix "base_model.model.".
  void declare_lora(nn::ParameterList& list, const std::string& prefix = "");

  // Adds every adapter into its matrix, rounded to the type of the matrix, and removes it.
  void merge_lora();

  // From now on the matrices of the layers are held in parts by `processes`, which outlive the
  // model: in `dtype` on `device`, without training. Embeddings, norms, biases, adapters and the
  // output matrix stay whole. To be called before the weights are loaded.
  void shard_layers(nn::PartExchange& processes, at::ScalarType dtype, at::Device device);
  // If the matrices are held in parts and `weight` is one of them: keeps its part and leaves it
  // undefined.
  bool keep_part(at::Tensor& weight);
  // Together, with layers in parts: after every batch, or instead of one, so that all processes
  // bring their parts equally often: as if each layer had been used forward and backward.
  void complete_gathers() const;

  // To be called once the weights are on their device: the type to compute in, which is that of
  // weights that do not train. Builds the rotary tables.
  void prepare(at::ScalarType dtype, at::Device device);
  at::ScalarType dtype() const { return dtype_; }

  // token_ids_T int64 in [0, V) -> [T, H] in dtype()
  at::Tensor embed(const at::Tensor& token_ids_T) const {
    return embeddings_(token_ids_T).to(dtype_);
  }

  // inputs_TH, sequences end to end, positions counted from 0 in each -> hidden [T, H] after the
  // last layer, before the final norm. With recompute_layers the layers keep only their inputs for
  // backward; layers in parts need that.
  at::Tensor hidden(const at::Tensor& inputs_TH, const nn::Segments& sequences,
                    bool recompute_layers = false) const;

  // The same for sequences under way: sequence i goes on in slots[i] of the cache with the i-th
  // segment, behind what the slot holds. Without autograd, layers whole. Throws
  // UserError if a sequence gets longer than the positions of the model.
  at::Tensor extend(const at::Tensor& inputs_TH, const nn::Segments& segments,
                    std::span<const std::int64_t> slots, KeyValueCache& cache) const;

  // normed [M, H] -> logits [M, V], fp32
  at::Tensor logits(const at::Tensor& normed_MH) const;

  // The final norm, of any hidden states.
  at::Tensor final_norm(const at::Tensor& hidden_MH) const { return final_norm_(hidden_MH); }

  // The output matrix [V, H]: logits = normed hidden x head^T. fp32 when it trains.
  const at::Tensor& head() const;

  const LlamaConfig& config() const { return config_; }
  const std::vector<LlamaLayer>& layers() const { return layers_; }
  nn::RotaryEmbedding::Angles angles(const nn::Segments& sequences, at::Device device) const;

 private:
  std::vector<nn::NamedLinear> projections(const std::string& prefix = "");
  void check_positions(std::int64_t length) const;

  LlamaConfig config_;
  at::ScalarType dtype_ = at::kFloat;
  nn::Embedding embeddings_;
  std::vector<LlamaLayer> layers_;
  nn::RmsNorm final_norm_;
  nn::Linear head_;
  nn::RotaryEmbedding rotary_;
  std::unique_ptr<LayerShards> shards_;  // null if the layers are whole
};

}  // namespace vllama::language
