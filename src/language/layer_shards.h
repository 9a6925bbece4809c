// The matrices of a frozen LLaMA, held in parts by several processes; those of a layer come
// together just before it is used.
#pragma once

#include <map>
#include <vector>

#include "language/llama.h"
#include "nn/sharded_tensors.h"

namespace vllama::language {

// In a round every layer is used once forward, from the first to the last, and once backward, from
// the last to the first. All processes go through all of every round, whether they compute with the
// layers or not, so that each brings its parts. The layer that comes next is under way while the
// current one computes: at most two are whole at a time.
class LayerShards {
 public:
  // Nothing is kept yet. `layers` and `processes` outlive this.
  LayerShards(std::vector<LlamaLayer>& layers, nn::PartExchange& processes, at::ScalarType dtype,
              at::Device device);

  // If `weight` is a matrix of a layer: keeps this process's part of it, and leaves it undefined.
  bool keep_part(at::Tensor& weight);

  // Together: layer number `index`, with its matrices. It must be the next of the round.
  LlamaLayer gather(std::size_t index);
  // Together: goes through what is left of the round.
  void complete_round();

 private:
  struct Place {
    std::size_t layer, matrix;
  };

  std::size_t layer_at(std::size_t position) const;
  void start(std::size_t layer);
  void go_on();

  std::vector<LlamaLayer>& layers_;
  nn::PartExchange& processes_;
  std::vector<nn::ShardedTensors> shards_;  // layer by layer
  std::map<const at::Tensor*, Place> places_;
  std::size_t position_ = 0;         // in the round
  std::vector<at::Tensor> current_;  // matrices of the layer before position_
  at::Tensor next_;                  // buffer of the layer at position_, if it is under way
};

}  // namespace vllama::language
