#include "nn/attention.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/softmax.h>
#include <fmt/format.h>

#include <cmath>
#include <functional>

#include "core/error.h"
#include "nn/packed_attention_kernel.h"
#include "nn/shape_text.h"

namespace vllama::nn {
namespace {

// [count * length, H, D] -> [count, H, length, D], a view.
at::Tensor heads_first(const at::Tensor& rows, std::int64_t count) {
  return rows.view({count, -1, rows.size(1), rows.size(2)}).transpose(1, 2);
}

at::Tensor rows_first(const at::Tensor& heads_NHLD) {
  return heads_NHLD.transpose(1, 2).reshape({-1, heads_NHLD.size(1), heads_NHLD.size(3)});
}

// Applies `attend(q, k, v, first segment)` to [N, H, L, D] views: all sequences at once when they
// are equally long, else one after the other.
template <class Attend>
at::Tensor over_segments(const at::Tensor& queries, const at::Tensor& keys,
                         const at::Tensor& values, const Segments& query_segments,
                         const Segments& key_segments, const Attend& attend) {
  VLLAMA_ASSERT(
      query_segments.count() == key_segments.count() && query_segments.total() == queries.size(0) &&
          key_segments.total() == keys.size(0),
      fmt::format("packed sequences must cover their rows: {} and {} sequences of {} and {} "
                  "rows for queries {} and keys {}",
                  query_segments.count(), key_segments.count(), query_segments.total(),
                  key_segments.total(), shape_text(queries), shape_text(keys)));
  const std::int64_t count = query_segments.count();
  if (query_segments.all_equal() && key_segments.all_equal())
    return rows_first(attend(heads_first(queries, count), heads_first(keys, count),
                             heads_first(values, count), 0));
  std::vector<at::Tensor> parts;
  for (std::int64_t i = 0; i < count; ++i) {
    const auto rows = [i](const at::Tensor& all, const Segments& segments) {
      return heads_first(all.narrow(0, segments.start(i), segments.length(i)), 1);
    };
    parts.push_back(rows_first(attend(rows(queries, query_segments), rows(keys, key_segments),
                                      rows(values, key_segments), i)));
  }
  return at::cat(parts);
}

}  // namespace

at::Tensor attention(const at::Tensor& queries_THD, const at::Tensor& keys_SGD,
                     const at::Tensor& values_SGD, const Segments& query_segments,
                     const Segments& key_segments, bool causal) {
  if (auto result = packed_attention_kernel(queries_THD, keys_SGD, values_SGD, query_segments,
                                            key_segments, causal))
    return *result;
  const bool grouped = queries_THD.size(1) != keys_SGD.size(1);
  return over_segments(queries_THD, keys_SGD, values_SGD, query_segments, key_segments,
                       [&](const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, auto) {
                         return at::scaled_dot_product_attention(q, k, v, {}, 0.0, causal, {},
                                                                 grouped);
                       });
}

at::Tensor attention_with_dropout(const at::Tensor& queries_THD, const at::Tensor& keys_SHD,
                                  const at::Tensor& values_SHD, const Segments& query_segments,
                                  const Segments& key_segments, const Dropout& dropout) {
  const double scale = 1.0 / std::sqrt(static_cast<double>(queries_THD.size(2)));
  return over_segments(
      queries_THD, keys_SHD, values_SHD, query_segments, key_segments,
      [&](const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, std::int64_t first) {
        const at::Tensor scores = at::matmul(q, k.transpose(2, 3)) * scale;
        return at::matmul(dropout(at::softmax(scores, -1), first, q.size(0)), v);
      });
}

}  // namespace vllama::nn
