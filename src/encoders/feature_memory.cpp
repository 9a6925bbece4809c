#include "encoders/feature_memory.h"

#include <ATen/ops/cat.h>

#include <string_view>

#include "core/random.h"

namespace vllama::encoders {
namespace {

std::size_t hash_of(const at::Tensor& tensor) {
  const at::Tensor values = tensor.cpu().contiguous();
  const auto* bytes = static_cast<const char*>(values.const_data_ptr());
  return std::hash<std::string_view>()({bytes, values.nbytes()});
}

}  // namespace

at::Tensor FeatureMemory::operator()(const at::Tensor& inputs, const Media& media,
                                     const Encode& encode) {
  if (most_bytes_ == 0) return encode(inputs, media);
  std::vector<at::Tensor> all;
  std::int64_t first = 0;
  for (const samples::MediaExtent& extent : media) {
    all.push_back(features_of(inputs.narrow(0, first, extent.num_units), extent, encode));
    first += extent.num_units;
  }
  return at::cat(all);
}

at::Tensor FeatureMemory::features_of(const at::Tensor& inputs, const samples::MediaExtent& extent,
                                      const Encode& encode) {
  // Where a sound ends is not told by the silence behind it.
  const std::size_t hash =
      hash_of(inputs) +
      static_cast<std::size_t>(random_key({static_cast<std::uint64_t>(extent.num_padding)}));
  if (const auto known = features_.find(hash); known != features_.end()) return known->second;
  at::Tensor features = encode(inputs, {extent});
  const auto bytes = static_cast<std::int64_t>(features.nbytes());
  if (num_bytes_ + bytes <= most_bytes_) {
    num_bytes_ += bytes;
    features_.emplace(hash, features);
  }
  return features;
}

}  // namespace vllama::encoders
