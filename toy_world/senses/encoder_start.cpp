#include "toy_world/senses/encoder_start.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros_like.h>

#include <map>
#include <utility>

namespace vllama::toy {
namespace {

using Tensors = std::map<std::string, at::Tensor>;

constexpr char kStem[] = "modality_preprocessors.vision.";
constexpr char kTrunk[] = "modality_trunks.vision.";

Tensors named(encoders::EvaVit& encoder) {
  nn::ParameterList parameters;
  encoder.declare(parameters);
  Tensors tensors;
  for (const nn::Parameter& parameter : parameters) tensors[parameter.name] = *parameter.tensor;
  return tensors;
}

void add_block(Tensors& to, const Tensors& from, const std::string& block) {
  const std::string out = kTrunk + block;
  const auto tensor = [&](const std::string& name) { return from.at(block + name); };
  const at::Tensor query_bias = tensor(".attn.q_bias");
  to[out + ".attn.in_proj_weight"] = tensor(".attn.qkv.weight");
  to[out + ".attn.in_proj_bias"] =
      at::cat({query_bias, at::zeros_like(query_bias), tensor(".attn.v_bias")});
  const std::pair<const char*, const char*> kLayers[] = {{".attn.out_proj", ".attn.proj"},
                                                         {".norm_1", ".norm1"},
                                                         {".norm_2", ".norm2"},
                                                         {".mlp.fc1", ".mlp.fc1"},
                                                         {".mlp.fc2", ".mlp.fc2"}};
  for (const auto& [theirs, ours] : kLayers)
    for (const std::string part : {".weight", ".bias"})
      to[out + theirs + part] = tensor(ours + part);
}

// The encoder's tensors under ImageBind's names.
Tensors as_image_bind(const Tensors& from, std::int64_t num_blocks) {
  const at::Tensor half_kernel = from.at("patch_embed.proj.weight") / 2;
  const at::Tensor positions = from.at("pos_embed");
  const at::Tensor bias = from.at("patch_embed.proj.bias");
  const at::Tensor of_patches = positions.narrow(1, 1, positions.size(1) - 1) + bias;
  Tensors to{
      {std::string(kStem) + "cls_token", from.at("cls_token")},
      {std::string(kStem) + "rgbt_stem.proj.1.weight", at::stack({half_kernel, half_kernel}, 2)},
      {std::string(kStem) + "pos_embedding_helper.pos_embed",
       at::cat({positions.narrow(1, 0, 1), of_patches}, 1)}};
  for (std::int64_t i = 0; i < num_blocks; ++i) add_block(to, from, "blocks." + std::to_string(i));
  return to;
}

}  // namespace

bool is_of_vision(const std::string& image_bind_name) {
  return image_bind_name.find(".vision.") != std::string::npos;
}

void start_from(encoders::EvaVit& encoder, const nn::ParameterList& image_bind_trunks) {
  const Tensors tensors = as_image_bind(named(encoder), encoder.config().num_blocks);
  for (const nn::Parameter& parameter : image_bind_trunks) {
    const auto found = tensors.find(parameter.name);
    if (found != tensors.end() && found->second.sizes() == parameter.tensor->sizes())
      *parameter.tensor = found->second.contiguous().clone();
  }
}

}  // namespace vllama::toy
