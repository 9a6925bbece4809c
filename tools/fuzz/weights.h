// Looks at everything that a weight file holds, through memory that the sanitizer watches.
#pragma once

#include "tools/fuzz/input.h"
#include "weights/values/value.h"

namespace vllama::fuzz {

// Reads every byte of a view and requires that its elements lie inside of them.
inline void touch(const weights::TensorView& view) {
  require(view.shape.size() == view.strides.size(), "an extent has a stride");
  const auto element_bytes = static_cast<std::size_t>(weights::facts_of(view.type).num_bytes);
  if (view.num_elements() > 0) {
    std::size_t last = 0;
    for (std::size_t i = 0; i < view.shape.size(); ++i)
      last += static_cast<std::size_t>((view.shape[i] - 1) * view.strides[i]);
    require((last + 1) * element_bytes <= view.bytes.size(), "a tensor lies inside its bytes");
  }
  unsigned sum = 0;
  for (const std::byte byte : view.bytes) sum += std::to_integer<unsigned>(byte);
  volatile unsigned sink = sum;
  static_cast<void>(sink);
}

inline void touch(const weights::Value& value) {
  using namespace weights;
  if (const auto* view = value.get_if<TensorView>()) return touch(*view);
  if (const auto* map = value.get_if<Map>())
    for (const auto& [key, item] : map->entries()) touch(item);
  if (const auto* list = value.get_if<List>())
    for (const Value& item : *list) touch(item);
  if (const auto* tuple = value.get_if<Tuple>())
    for (const Value& item : tuple->items) touch(item);
}

}  // namespace vllama::fuzz
