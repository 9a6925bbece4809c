#include "language/layer_shards.h"

#include <fmt/format.h>

#include "core/error.h"

namespace vllama::language {

LayerShards::LayerShards(std::vector<LlamaLayer>& layers, nn::PartExchange& processes,
                         at::ScalarType dtype, at::Device device)
    : layers_(layers), processes_(processes) {
  for (std::size_t i = 0; i < layers.size(); ++i) {
    std::vector<std::vector<std::int64_t>> shapes;
    for (const auto& [name, linear] : layers[i].projections()) {
      places_[&linear->weight_OI] = {i, shapes.size()};
      shapes.push_back({linear->outputs, linear->inputs});
    }
    shards_.emplace_back(std::move(shapes), processes,
                         at::TensorOptions().dtype(dtype).device(device));
  }
}

bool LayerShards::keep_part(at::Tensor& weight) {
  const auto place = places_.find(&weight);
  if (place == places_.end()) return false;
  shards_[place->second.layer].keep_part(place->second.matrix, weight);
  weight.reset();
  return true;
}

std::size_t LayerShards::layer_at(std::size_t position) const {
  return position < layers_.size() ? position : 2 * layers_.size() - 1 - position;
}

void LayerShards::start(std::size_t layer) {
  next_ = shards_[layer].buffer();
  processes_.start(next_, fmt::format("weights of layer {}", layer));
}

// The last layer is used twice in a row.
void LayerShards::go_on() {
  const std::size_t layer = layer_at(position_);
  if (position_ != layers_.size()) {
    current_.clear();
    if (!next_.defined()) start(layer);
    processes_.finish();
    current_ = shards_[layer].views(next_);
    next_.reset();
  }
  ++position_;
  const bool is_last = position_ == 2 * layers_.size();
  if (!is_last && position_ != layers_.size()) start(layer_at(position_));
}

LlamaLayer LayerShards::gather(std::size_t index) {
  VLLAMA_ASSERT(position_ < 2 * layers_.size() && layer_at(position_) == index,
                "layers are used in the order of a round");
  go_on();
  LlamaLayer layer = layers_[index];
  std::size_t matrix = 0;
  for (const auto& [name, linear] : layer.projections()) linear->weight_OI = current_[matrix++];
  return layer;
}

void LayerShards::complete_round() {
  while (position_ < 2 * layers_.size()) go_on();
  position_ = 0;
  current_.clear();
}

}  // namespace vllama::language
