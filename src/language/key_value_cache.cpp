#include "language/key_value_cache.h"

#include <ATen/ops/empty.h>
#include <fmt/format.h>

#include "core/error.h"

namespace vllama::language {

KeyValueCache::KeyValueCache(const LlamaConfig& config, at::ScalarType dtype, at::Device device,
                             std::int64_t num_slots, std::int64_t capacity)
    : capacity_(capacity), lengths_(static_cast<std::size_t>(num_slots), 0) {
  const auto room = [&] {
    return at::empty({num_slots, capacity, config.num_key_value_heads, config.head_width},
                     at::TensorOptions(device).dtype(dtype));
  };
  for (std::int64_t i = 0; i < config.num_layers; ++i) layers_.push_back({room(), room()});
}

void KeyValueCache::shorten(std::int64_t slot, std::int64_t length) {
  VLLAMA_ASSERT(length >= 0 && length <= this->length(slot), "only what is there can be kept");
  lengths_[static_cast<std::size_t>(slot)] = length;
}

void KeyValueCache::copy_from(const KeyValueCache& other, std::int64_t source, std::int64_t target,
                              std::int64_t num_equal) {
  const std::int64_t count = other.length(source) - num_equal;
  VLLAMA_ASSERT(count >= 0 && num_equal <= length(target),
                fmt::format("{} equal tokens of a slot that holds {}", num_equal, length(target)));
  VLLAMA_ASSERT(
      other.length(source) <= capacity_,
      fmt::format("{} tokens for a slot with room for {}", other.length(source), capacity_));
  const auto copy_tokens = [&](const at::Tensor& to_BSGK, const at::Tensor& from_BSGK) {
    to_BSGK.select(0, target)
        .narrow(0, num_equal, count)
        .copy_(from_BSGK.select(0, source).narrow(0, num_equal, count));
  };
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    copy_tokens(layers_[i].keys_BSGK, other.layers_[i].keys_BSGK);
    copy_tokens(layers_[i].values_BSGK, other.layers_[i].values_BSGK);
  }
  lengths_[static_cast<std::size_t>(target)] = other.length(source);
}

nn::NewTokens KeyValueCache::place(const nn::Segments& segments,
                                   std::span<const std::int64_t> slots) const {
  nn::NewTokens placed{segments, {slots.begin(), slots.end()}, {}};
  for (std::size_t i = 0; i < slots.size(); ++i) {
    placed.lengths_before.push_back(length(slots[i]));
    VLLAMA_ASSERT(length(slots[i]) + segments.length(static_cast<std::int64_t>(i)) <= capacity_,
                  fmt::format("{} tokens and {} more for a slot with room for {}", length(slots[i]),
                              segments.length(static_cast<std::int64_t>(i)), capacity_));
  }
  return placed;
}

void KeyValueCache::advance(const nn::NewTokens& tokens) {
  for (std::size_t i = 0; i < tokens.slots.size(); ++i)
    lengths_[static_cast<std::size_t>(tokens.slots[i])] =
        tokens.lengths_before[i] + tokens.segments.length(static_cast<std::int64_t>(i));
}

}  // namespace vllama::language
