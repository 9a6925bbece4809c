// What a language model keeps of the tokens of sequences under way, so that each is computed once.
#pragma once

#include <span>

#include "language/llama_config.h"
#include "nn/cached_attention.h"

namespace vllama::language {

// Room for `num_slots` sequences of up to `capacity` tokens: per layer, keys and values as
// [slots, capacity, key/value heads, head width]. Sequences may have any lengths.
class KeyValueCache {
 public:
  // In the type and on the device that the model computes in.
  KeyValueCache(const LlamaConfig& config, at::ScalarType dtype, at::Device device,
                std::int64_t num_slots, std::int64_t capacity);

  std::int64_t num_slots() const { return static_cast<std::int64_t>(lengths_.size()); }
  std::int64_t capacity() const { return capacity_; }
  // Tokens that a slot holds.
  std::int64_t length(std::int64_t slot) const {
    return lengths_.at(static_cast<std::size_t>(slot));
  }

  // Forgets what lies behind the first `length` tokens of a slot.
  void shorten(std::int64_t slot, std::int64_t length);
  // Makes `target` hold what slot `source` of `other` holds; the first `num_equal` tokens already
  // are the same. `other` may be this cache, with another slot.
  void copy_from(const KeyValueCache& other, std::int64_t source, std::int64_t target,
                 std::int64_t num_equal = 0);

  const nn::LayerCache& layer(std::size_t index) const { return layers_.at(index); }
  // Throws InternalError if a slot has no room for its tokens.
  nn::NewTokens place(const nn::Segments& segments, std::span<const std::int64_t> slots) const;
  // The layers have got these tokens.
  void advance(const nn::NewTokens& tokens);

 private:
  std::int64_t capacity_;
  std::vector<nn::LayerCache> layers_;
  std::vector<std::int64_t> lengths_;
};

}  // namespace vllama::language
