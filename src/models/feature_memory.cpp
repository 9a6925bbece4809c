#include "models/feature_memory.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/tensor.h>

#include <string_view>
#include <vector>

namespace vllama::models {
namespace {

std::vector<std::size_t> hashes_of(const at::Tensor& inputs) {
  const at::Tensor values = inputs.cpu().contiguous();
  const auto bytes_each = values.nbytes() / static_cast<std::size_t>(values.size(0));
  const auto* bytes = static_cast<const char*>(values.const_data_ptr());
  std::vector<std::size_t> hashes;
  for (std::int64_t i = 0; i < values.size(0); ++i, bytes += bytes_each)
    hashes.push_back(std::hash<std::string_view>()({bytes, bytes_each}));
  return hashes;
}

}  // namespace

at::Tensor FeatureMemory::operator()(const at::Tensor& inputs, const Encode& encode) {
  if (most_bytes_ == 0) return encode(inputs);
  const auto hashes = hashes_of(inputs);
  std::unordered_map<std::size_t, at::Tensor> found;
  std::vector<std::int64_t> unknown;
  for (std::size_t i = 0; i < hashes.size(); ++i) {
    const auto known = features_.find(hashes[i]);
    if (found.emplace(hashes[i], known == features_.end() ? at::Tensor() : known->second).second &&
        known == features_.end())
      unknown.push_back(static_cast<std::int64_t>(i));
  }
  if (!unknown.empty()) {
    const at::Tensor rows = at::tensor(unknown, at::kLong).to(inputs.device());
    const auto num_new = static_cast<std::int64_t>(unknown.size());
    const auto parts = encode(inputs.index_select(0, rows)).chunk(num_new);
    for (std::size_t i = 0; i < unknown.size(); ++i) {
      const auto hash = hashes[static_cast<std::size_t>(unknown[i])];
      found[hash] = parts[i];
      const auto bytes = static_cast<std::int64_t>(parts[i].nbytes());
      if (num_bytes_ + bytes > most_bytes_) continue;
      num_bytes_ += bytes;
      features_[hash] = parts[i].clone();
    }
  }
  std::vector<at::Tensor> all;
  for (const std::size_t hash : hashes) all.push_back(found.at(hash));
  return at::cat(all);
}

}  // namespace vllama::models
