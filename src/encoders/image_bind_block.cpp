#include "encoders/image_bind_block.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/gelu.h>

#include "core/error.h"
#include "nn/attention.h"

namespace vllama::encoders {
namespace {

constexpr double kImageBindEpsilon = 1e-6;
constexpr double kSmallestLength = 1e-12;

// rows_RHK of `inputs`, each followed by the same extra row.
at::Tensor with_extra_row(const at::Tensor& rows_RHK, const at::Tensor& extra_11D,
                          std::int64_t num_inputs) {
  const std::int64_t num_heads = rows_RHK.size(1), head_width = rows_RHK.size(2);
  const at::Tensor extra =
      extra_11D.view({1, 1, num_heads, head_width}).expand({num_inputs, 1, num_heads, head_width});
  return at::cat({rows_RHK.view({num_inputs, -1, num_heads, head_width}), extra}, 1).flatten(0, 1);
}

}  // namespace

ImageBindBlock::ImageBindBlock(const ImageBindBlockSizes& sizes)
    : attention_norm(sizes.width, kImageBindEpsilon),
      qkv(sizes.width, 3 * sizes.width),
      projection(sizes.width, sizes.width),
      mlp_norm(sizes.width, kImageBindEpsilon),
      fc1(sizes.width, sizes.mlp_width),
      fc2(sizes.mlp_width, sizes.width),
      num_heads(sizes.num_heads),
      has_extra_key(sizes.has_extra_key) {}

void ImageBindBlock::declare(nn::ParameterList& list, const std::string& prefix) {
  const std::int64_t width = qkv.inputs;
  list.push_back({prefix + ".attn.in_proj_weight",
                  {qkv.outputs, width},
                  &qkv.weight_OI,
                  nn::normal_by_fan_in(width)});
  list.push_back({prefix + ".attn.in_proj_bias", {qkv.outputs}, &qkv.bias_O, nn::kZeros});
  if (has_extra_key) {
    const nn::Initial initial = nn::normal_by_fan_in(width);
    list.push_back({prefix + ".attn.bias_k", {1, 1, width}, &extra_key_11D, initial});
    list.push_back({prefix + ".attn.bias_v", {1, 1, width}, &extra_value_11D, initial});
  }
  projection.declare(list, prefix + ".attn.out_proj", nn::normal_by_fan_in(width));
  attention_norm.declare(list, prefix + ".norm_1");
  fc1.declare(list, prefix + ".mlp.fc1", nn::normal_by_fan_in(fc1.inputs));
  fc2.declare(list, prefix + ".mlp.fc2", nn::normal_by_fan_in(fc2.inputs));
  mlp_norm.declare(list, prefix + ".norm_2");
}

at::Tensor ImageBindBlock::attend(const at::Tensor& normed_RD, const nn::Segments& inputs) const {
  const at::Tensor qkv_R3HK = qkv(normed_RD).view({normed_RD.size(0), 3, num_heads, -1});
  const at::Tensor q = qkv_R3HK.select(1, 0), k = qkv_R3HK.select(1, 1), v = qkv_R3HK.select(1, 2);
  if (!has_extra_key)
    return projection(nn::attention(q, k, v, inputs, inputs, /*causal=*/false).flatten(1));
  const std::int64_t count = inputs.count();
  const auto keys = nn::Segments::equal(count, inputs.longest() + 1);
  const at::Tensor context_RHK =
      nn::attention(q, with_extra_row(k, extra_key_11D, count),
                    with_extra_row(v, extra_value_11D, count), inputs, keys, /*causal=*/false);
  return projection(context_RHK.flatten(1));
}

at::Tensor ImageBindBlock::operator()(const at::Tensor& tokens_RD,
                                      const nn::Segments& inputs) const {
  VLLAMA_ASSERT(inputs.all_equal(), "all inputs have equally many tokens");
  const at::Tensor attended_RD = tokens_RD + attend(attention_norm(tokens_RD), inputs);
  return attended_RD + fc2(at::gelu(fc1(mlp_norm(attended_RD))));
}

ImageBindHead::ImageBindHead(std::int64_t width, std::int64_t embedding_width)
    : norm(width, kImageBindEpsilon), projection(width, embedding_width, /*has_bias=*/false) {}

void ImageBindHead::declare(nn::ParameterList& list, const std::string& prefix) {
  norm.declare(list, prefix + ".0");
  projection.declare(list, prefix + ".2", nn::normal_by_fan_in(projection.inputs));
}

at::Tensor ImageBindHead::operator()(const at::Tensor& tokens_NLD) const {
  const at::Tensor values_NE = projection(norm(tokens_NLD.select(1, 0))).to(at::kFloat);
  return values_NE / values_NE.norm(2, {1}, /*keepdim=*/true).clamp_min(kSmallestLength);
}

}  // namespace vllama::encoders
