#include "nn/cached_attention.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/scaled_dot_product_attention.h>

#include <algorithm>

#include "core/error.h"
#include "nn/attention.h"

namespace vllama::nn {
namespace {

// [L, H, K] -> [1, H, L, K], a view.
at::Tensor heads_first(const at::Tensor& tokens_LHK) {
  return tokens_LHK.transpose(0, 1).unsqueeze(0);
}

// The tokens of one sequence behind `num_before` that the cache held; keys and values with those.
at::Tensor attend_behind(const at::Tensor& queries_NAK, const at::Tensor& keys_SGK,
                         const at::Tensor& values_SGK, std::int64_t num_before) {
  const std::int64_t num_new = queries_NAK.size(0);
  std::optional<at::Tensor> sees_NS;
  if (num_new > 1) {
    const auto options = at::TensorOptions(queries_NAK.device()).dtype(at::kLong);
    sees_NS = at::arange(num_before + num_new, options)
                  .le(at::arange(num_before, num_before + num_new, options).unsqueeze(1));
  }
  return at::scaled_dot_product_attention(
             heads_first(queries_NAK), heads_first(keys_SGK), heads_first(values_SGK), sees_NS, 0.0,
             /*is_causal=*/false, {}, queries_NAK.size(1) != keys_SGK.size(1))
      .squeeze(0)
      .transpose(0, 1);
}

}  // namespace

std::vector<std::int64_t> NewTokens::positions() const {
  std::vector<std::int64_t> result = segments.positions();
  auto position = result.begin();
  for (std::int64_t i = 0; i < segments.count(); ++i)
    for (std::int64_t n = 0; n < segments.length(i); ++n)
      *position++ += lengths_before[static_cast<std::size_t>(i)];
  return result;
}

at::Tensor cached_attention(const at::Tensor& queries_TAK, const at::Tensor& keys_TGK,
                            const at::Tensor& values_TGK, const NewTokens& new_tokens,
                            const LayerCache& cache) {
  const Segments& segments = new_tokens.segments;
  const auto num_sequences = static_cast<std::size_t>(segments.count());
  VLLAMA_ASSERT(new_tokens.slots.size() == num_sequences &&
                    new_tokens.lengths_before.size() == num_sequences &&
                    segments.total() == queries_TAK.size(0),
                "every sequence of new tokens has a slot");
  for (std::size_t i = 0; i < num_sequences; ++i) {
    const auto sequence = static_cast<std::int64_t>(i);
    const auto append = [&](const at::Tensor& cached_BSGK, const at::Tensor& fresh_TGK) {
      cached_BSGK.select(0, new_tokens.slots[i])
          .narrow(0, new_tokens.lengths_before[i], segments.length(sequence))
          .copy_(fresh_TGK.narrow(0, segments.start(sequence), segments.length(sequence)));
    };
    append(cache.keys_BSGK, keys_TGK);
    append(cache.values_BSGK, values_TGK);
  }
  if (std::ranges::all_of(new_tokens.lengths_before, [](std::int64_t n) { return n == 0; }))
    return attention(queries_TAK, keys_TGK, values_TGK, segments, segments, /*causal=*/true);
  std::vector<at::Tensor> parts;
  for (std::size_t i = 0; i < num_sequences; ++i) {
    const auto sequence = static_cast<std::int64_t>(i);
    const std::int64_t before = new_tokens.lengths_before[i];
    const auto seen = [&](const at::Tensor& cached_BSGK) {
      return cached_BSGK.select(0, new_tokens.slots[i])
          .narrow(0, 0, before + segments.length(sequence));
    };
    parts.push_back(
        attend_behind(queries_TAK.narrow(0, segments.start(sequence), segments.length(sequence)),
                      seen(cache.keys_BSGK), seen(cache.values_BSGK), before));
  }
  return at::cat(parts);
}

}  // namespace vllama::nn
