#include "encoders/feature_memory.h"

#include <ATen/ops/cat.h>

#include <string_view>

namespace vllama::encoders {
namespace {

std::size_t hash_of(const at::Tensor& tensor) {
  const at::Tensor values = tensor.cpu().contiguous();
  const auto* bytes = static_cast<const char*>(values.const_data_ptr());
  return std::hash<std::string_view>()({bytes, values.nbytes()});
}

}  // namespace

at::Tensor FeatureMemory::operator()(const at::Tensor& inputs,
                                     const std::vector<std::int64_t>& inputs_per_medium,
                                     const Encode& encode) {
  if (most_bytes_ == 0) return encode(inputs);
  std::vector<at::Tensor> all;
  for (const at::Tensor& medium : inputs.split_with_sizes(inputs_per_medium))
    all.push_back(features_of(medium, encode));
  return at::cat(all);
}

at::Tensor FeatureMemory::features_of(const at::Tensor& medium, const Encode& encode) {
  const std::size_t hash = hash_of(medium);
  if (const auto known = features_.find(hash); known != features_.end()) return known->second;
  at::Tensor features = encode(medium);
  const auto bytes = static_cast<std::int64_t>(features.nbytes());
  if (num_bytes_ + bytes <= most_bytes_) {
    num_bytes_ += bytes;
    features_.emplace(hash, features);
  }
  return features;
}

}  // namespace vllama::encoders
