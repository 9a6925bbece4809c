#include "nn/step_kernels.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/error.h"
#include "nn/step_lanes.h"

namespace vllama::nn {
namespace {

// Fewer multiplications than this are not worth a second thread.
constexpr std::int64_t kLeastWork = 1 << 16;

at::Tensor as_floats(const at::Tensor& values) {
  return values.to(at::kFloat).contiguous();
}

at::Tensor empty_floats(at::IntArrayRef shape) {
  return at::empty(shape, at::kFloat);
}

const Bf16* bf16_data(const at::Tensor& tensor) {
  return static_cast<const Bf16*>(tensor.const_data_ptr());
}
Bf16* mutable_bf16_data(const at::Tensor& tensor) {
  return static_cast<Bf16*>(tensor.mutable_data_ptr());
}

// To the nearest, ties to even; numbers are finite.
Bf16 rounded(float value) {
  std::uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return {static_cast<std::uint16_t>((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16)};
}
void put(float value, float& place) {
  place = value;
}
void put(float value, Bf16& place) {
  place = rounded(value);
}

// Turns `count` heads of `width` numbers; cos and sin have width / 2.
template <class Number>
void rotate_into(const float* heads, std::int64_t count, std::int64_t width, const float* cos,
                 const float* sin, Number* to) {
  const std::int64_t half = width / 2;
  for (std::int64_t h = 0; h < count; ++h, heads += width, to += width) {
    for (std::int64_t i = 0; i < half; ++i) {
      put(heads[i] * cos[i] - heads[i + half] * sin[i], to[i]);
      put(heads[i + half] * cos[i] + heads[i] * sin[i], to[i + half]);
    }
  }
}

struct StepSizes {
  std::int64_t num_rows, num_heads, num_key_heads, width, capacity;
};

template <class Number>
void attend_tokens(const StepSizes& sizes, const at::Tensor& heads_RX,
                   const RotaryEmbedding::Angles& angles, const NewTokens& tokens, Number* keys,
                   Number* values, void (*attend)(const HeadStep<Number>&),
                   const at::Tensor& context_RX) {
  const std::int64_t width = sizes.width, group = sizes.num_heads / sizes.num_key_heads;
  const std::int64_t stride = sizes.num_key_heads * width;
  const at::Tensor cos = as_floats(angles.cos_T1D), sin = as_floats(angles.sin_T1D);
  const float* heads = heads_RX.const_data_ptr<float>();
  float* context = context_RX.mutable_data_ptr<float>();
  const auto one_head = [&](std::int64_t r, std::int64_t g, std::vector<float>& room) {
    const auto row = static_cast<std::size_t>(r);
    const std::int64_t before = tokens.lengths_before[row];
    const float* row_heads = heads + r * heads_RX.size(1);
    const float* row_cos = cos.const_data_ptr<float>() + r * width / 2;
    const float* row_sin = sin.const_data_ptr<float>() + r * width / 2;
    Number* head_keys = keys + tokens.slots[row] * sizes.capacity * stride + g * width;
    Number* head_values = values + tokens.slots[row] * sizes.capacity * stride + g * width;
    const float* key = row_heads + (sizes.num_heads + g) * width;
    const float* value = key + stride;
    rotate_into(key, 1, width, row_cos, row_sin, head_keys + before * stride);
    for (std::int64_t i = 0; i < width; ++i) put(value[i], head_values[before * stride + i]);
    room.resize(static_cast<std::size_t>(group * width + before + 1));
    float* queries = room.data();
    rotate_into(row_heads + g * group * width, group, width, row_cos, row_sin, queries);
    attend({.queries = queries,
            .num_queries = group,
            .keys = head_keys,
            .values = head_values,
            .width = width,
            .stride = stride,
            .length = before + 1,
            .scale = 1 / std::sqrt(static_cast<float>(width)),
            .scores = queries + group * width,
            .context = context + (r * sizes.num_heads + g * group) * width});
  };
  at::parallel_for(0, sizes.num_rows * sizes.num_key_heads, 1,
                   [&](std::int64_t begin, std::int64_t end) {
                     std::vector<float> room;
                     for (std::int64_t i = begin; i < end; ++i)
                       one_head(i / sizes.num_key_heads, i % sizes.num_key_heads, room);
                   });
}

}  // namespace

const StepLanes& step_lanes() {
#ifdef __x86_64__
  static const StepLanes& widest =
      __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
              __builtin_cpu_supports("avx512vl")
          ? kAvx512StepLanes
      : __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? kAvx2StepLanes
                                                                        : kPlainStepLanes;
  return widest;
#else
  return kPlainStepLanes;
#endif
}

bool has_step_kernels(at::ScalarType dtype, at::Device device) {
  return device.is_cpu() && (dtype == at::kFloat || dtype == at::kBFloat16);
}

at::Tensor step_products(const at::Tensor& values_RI,
                         std::initializer_list<at::Tensor> weights_OI) {
  const at::Tensor values = as_floats(values_RI);
  const std::int64_t num_rows = values.size(0), num_inputs = values.size(1);
  std::int64_t num_outputs = 0;
  for (const at::Tensor& weight : weights_OI) {
    VLLAMA_ASSERT(weight.is_contiguous() && weight.size(1) == num_inputs &&
                      weight.scalar_type() == values_RI.scalar_type(),
                  "matrices of a step are contiguous and fit its rows");
    num_outputs += weight.size(0);
  }
  const at::Tensor outputs_RX = empty_floats({num_rows, num_outputs});
  const StepLanes& lanes = step_lanes();
  const float* from = values.const_data_ptr<float>();
  float* to = outputs_RX.mutable_data_ptr<float>();
  const bool is_bf16 = values_RI.scalar_type() == at::kBFloat16;
  const std::int64_t grain = std::max<std::int64_t>(1, kLeastWork / (num_inputs * num_rows));
  at::parallel_for(0, num_outputs, grain, [&](std::int64_t begin, std::int64_t end) {
    std::int64_t offset = 0;
    for (const at::Tensor& weight : weights_OI) {
      const std::int64_t first = std::max<std::int64_t>(begin - offset, 0);
      const std::int64_t last = std::min(end - offset, weight.size(0));
      if (first < last && is_bf16)
        lanes.products_bf16(from, num_rows, num_inputs, bf16_data(weight), first, last, to + offset,
                            num_outputs);
      else if (first < last)
        lanes.products(from, num_rows, num_inputs, weight.const_data_ptr<float>(), first, last,
                       to + offset, num_outputs);
      offset += weight.size(0);
    }
  });
  return outputs_RX.to(values_RI.scalar_type());
}

at::Tensor step_attention(const at::Tensor& heads_RX, const RotaryEmbedding::Angles& angles,
                          const NewTokens& tokens, const LayerCache& cache) {
  const at::Tensor heads = as_floats(heads_RX);
  const std::int64_t num_key_heads = cache.keys_BSGK.size(2), width = cache.keys_BSGK.size(3);
  const StepSizes sizes{.num_rows = heads.size(0),
                        .num_heads = heads.size(1) / width - 2 * num_key_heads,
                        .num_key_heads = num_key_heads,
                        .width = width,
                        .capacity = cache.keys_BSGK.size(1)};
  VLLAMA_ASSERT(width % 16 == 0 && sizes.num_heads % num_key_heads == 0 && tokens.is_step() &&
                    tokens.segments.count() == sizes.num_rows,
                "heads of a step: one token for each sequence");
  const at::Tensor context_RX = empty_floats({sizes.num_rows, sizes.num_heads * width});
  const StepLanes& lanes = step_lanes();
  if (cache.keys_BSGK.scalar_type() == at::kBFloat16)
    attend_tokens(sizes, heads, angles, tokens, mutable_bf16_data(cache.keys_BSGK),
                  mutable_bf16_data(cache.values_BSGK), lanes.attend_bf16, context_RX);
  else
    attend_tokens(sizes, heads, angles, tokens, cache.keys_BSGK.mutable_data_ptr<float>(),
                  cache.values_BSGK.mutable_data_ptr<float>(), lanes.attend, context_RX);
  return context_RX.to(heads_RX.scalar_type());
}

at::Tensor step_gated_silu(const at::Tensor& gate_up_RX) {
  const at::Tensor gate_up = as_floats(gate_up_RX);
  const std::int64_t num_rows = gate_up.size(0), width = gate_up.size(1) / 2;
  const at::Tensor result_RM = empty_floats({num_rows, width});
  const float* from = gate_up.const_data_ptr<float>();
  float* to = result_RM.mutable_data_ptr<float>();
  for (std::int64_t r = 0; r < num_rows; ++r)
    step_lanes().gated_silu(from + 2 * r * width, from + (2 * r + 1) * width, width,
                            to + r * width);
  return result_RM.to(gate_up_RX.scalar_type());
}

}  // namespace vllama::nn
