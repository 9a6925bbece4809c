#include "encoders/pre_norm_block.h"

#include <ATen/TensorOperators.h>

#include "nn/attention.h"

namespace vllama::encoders {

PreNormBlock::PreNormBlock(const Settings& settings)
    : attention_norm(settings.width, settings.epsilon),
      query(settings.width, settings.width),
      key(settings.width, settings.width, settings.keys_have_bias),
      value(settings.width, settings.width),
      output(settings.width, settings.width),
      mlp_norm(settings.width, settings.epsilon),
      fc1(settings.width, settings.mlp_width),
      fc2(settings.mlp_width, settings.width),
      num_heads(settings.num_heads),
      activation(settings.activation) {}

void PreNormBlock::declare(nn::ParameterList& list, const std::string& prefix, const Names& names) {
  const auto linear = [&](nn::Linear& layer, const char* name) {
    layer.declare(list, prefix + name, nn::normal_by_fan_in(layer.inputs));
  };
  attention_norm.declare(list, prefix + names.attention_norm);
  linear(key, ".self_attn.k_proj");
  linear(value, ".self_attn.v_proj");
  linear(query, ".self_attn.q_proj");
  linear(output, ".self_attn.out_proj");
  mlp_norm.declare(list, prefix + names.mlp_norm);
  linear(fc1, names.fc1);
  linear(fc2, names.fc2);
}

std::vector<nn::NamedLinear> PreNormBlock::matrices(const std::string& prefix, const Names& names) {
  return {{prefix + ".self_attn.k_proj", &key},
          {prefix + ".self_attn.v_proj", &value},
          {prefix + ".self_attn.q_proj", &query},
          {prefix + ".self_attn.out_proj", &output},
          {prefix + names.fc1, &fc1},
          {prefix + names.fc2, &fc2}};
}

at::Tensor PreNormBlock::operator()(const at::Tensor& tokens_RD, const nn::Segments& units) const {
  const auto heads = [this](const at::Tensor& rows) {
    return rows.view({rows.size(0), num_heads, -1});
  };
  const at::Tensor normed_RD = attention_norm(tokens_RD);
  const at::Tensor context_RHK =
      nn::attention(heads(query(normed_RD)), heads(key(normed_RD)), heads(value(normed_RD)), units,
                    units, /*causal=*/false);
  const at::Tensor attended_RD = tokens_RD + output(context_RHK.flatten(1));
  return attended_RD + fc2(activation(fc1(mlp_norm(attended_RD))));
}

}  // namespace vllama::encoders
