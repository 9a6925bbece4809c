#include "weights/tensor_shapes.h"

namespace vllama::weights {

TensorShapes::TensorShapes(const TensorSource& source) {
  for (const TensorFacts& facts : source.tensors()) shapes_.emplace(facts.name, facts.shape);
}

std::optional<std::int64_t> TensorShapes::extent(const std::string& name,
                                                 std::size_t dimension) const {
  const auto found = shapes_.find(name);
  if (found == shapes_.end() || found->second.size() <= dimension) return std::nullopt;
  return found->second[dimension];
}

std::int64_t TensorShapes::count_numbered(const std::string& prefix) const {
  std::int64_t count = 0;
  while (holds_any(prefix + std::to_string(count) + ".")) ++count;
  return count;
}

bool TensorShapes::holds_any(const std::string& prefix) const {
  const auto first = shapes_.lower_bound(prefix);
  return first != shapes_.end() && first->first.starts_with(prefix);
}

}  // namespace vllama::weights
