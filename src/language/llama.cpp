#include "language/llama.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/tensor.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "language/layer_shards.h"
#include "nn/attention.h"
#include "nn/block_matrices.h"
#include "nn/linear_kernel.h"
#include "nn/recompute.h"
#include "nn/shape_text.h"
#include "nn/step_kernels.h"

namespace vllama::language {
namespace {

void declare_with_fan_in(nn::Linear& linear, nn::ParameterList& list, const std::string& prefix) {
  linear.declare(list, prefix, nn::normal(1.0 / std::sqrt(static_cast<double>(linear.inputs))));
}

std::optional<nn::RmsNorm> head_norm(const LlamaConfig& config) {
  if (!config.type->has_query_key_norms) return std::nullopt;
  return nn::RmsNorm(config.head_width, config.norm_epsilon);
}

std::string layer_name(const std::string& prefix, std::size_t index) {
  return prefix + "model.layers." + std::to_string(index);
}

}  // namespace

LlamaLayer::LlamaLayer(const LlamaConfig& config)
    : attention_norm(config.width, config.norm_epsilon),
      query(config.width, config.num_heads * config.head_width, config.query_key_value_biases),
      key(config.width, config.num_key_value_heads * config.head_width,
          config.query_key_value_biases),
      value(config.width, config.num_key_value_heads * config.head_width,
            config.query_key_value_biases),
      output(config.num_heads * config.head_width, config.width, config.output_bias),
      query_norm(head_norm(config)),
      key_norm(head_norm(config)),
      mlp_norm(config.width, config.norm_epsilon),
      gate(config.width, config.mlp_width, false),
      up(config.width, config.mlp_width, false),
      down(config.mlp_width, config.width, false),
      head_width(config.head_width) {}

std::vector<nn::NamedLinear> LlamaLayer::projections(const std::string& prefix) {
  return {{prefix + "self_attn.q_proj", &query}, {prefix + "self_attn.k_proj", &key},
          {prefix + "self_attn.v_proj", &value}, {prefix + "self_attn.o_proj", &output},
          {prefix + "mlp.gate_proj", &gate},     {prefix + "mlp.up_proj", &up},
          {prefix + "mlp.down_proj", &down}};
}

void LlamaLayer::declare(nn::ParameterList& list, const std::string& prefix) {
  for (const auto& [name, linear] : projections(prefix + "."))
    declare_with_fan_in(*linear, list, name);
  if (query_norm) query_norm->declare(list, prefix + ".self_attn.q_norm");
  if (key_norm) key_norm->declare(list, prefix + ".self_attn.k_norm");
  attention_norm.declare(list, prefix + ".input_layernorm");
  mlp_norm.declare(list, prefix + ".post_attention_layernorm");
}

LlamaLayer::Heads LlamaLayer::heads(const at::Tensor& normed_TH,
                                    const nn::RotaryEmbedding::Angles& angles) const {
  const auto heads = [this](const at::Tensor& states_TX) {
    return states_TX.view({states_TX.size(0), -1, head_width});
  };
  const auto rotated = [&](const at::Tensor& states_TX, const std::optional<nn::RmsNorm>& norm) {
    const at::Tensor heads_TAK = heads(states_TX);
    return nn::RotaryEmbedding::rotate(norm ? (*norm)(heads_TAK) : heads_TAK, angles);
  };
  return {rotated(query(normed_TH), query_norm), rotated(key(normed_TH), key_norm),
          heads(value(normed_TH))};
}

at::Tensor LlamaLayer::attend(const at::Tensor& normed_TH,
                              const nn::RotaryEmbedding::Angles& angles,
                              const nn::Segments& sequences) const {
  const auto [q_TAK, k_TGK, v_TGK] = heads(normed_TH, angles);
  return output(
      nn::attention(q_TAK, k_TGK, v_TGK, sequences, sequences, /*causal=*/true).flatten(1));
}

at::Tensor LlamaLayer::feed_forward(const at::Tensor& attended_TH) const {
  const at::Tensor normed_TH = mlp_norm(attended_TH);
  return attended_TH + down(at::silu(gate(normed_TH)) * up(normed_TH));
}

at::Tensor LlamaLayer::operator()(const at::Tensor& hidden_TH,
                                  const nn::RotaryEmbedding::Angles& angles,
                                  const nn::Segments& sequences) const {
  return feed_forward(hidden_TH + attend(attention_norm(hidden_TH), angles, sequences));
}

at::Tensor LlamaLayer::extend(const at::Tensor& hidden_TH,
                              const nn::RotaryEmbedding::Angles& angles,
                              const nn::NewTokens& tokens, const nn::LayerCache& cache) const {
  // A prompt has tokens enough for matrix products; one new token each is bound by memory.
  if (tokens.is_step() && has_step_kernels(hidden_TH))
    return step(hidden_TH, angles, tokens, cache);
  const auto [q_TAK, k_TGK, v_TGK] = heads(attention_norm(hidden_TH), angles);
  return feed_forward(hidden_TH +
                      output(nn::cached_attention(q_TAK, k_TGK, v_TGK, tokens, cache).flatten(1)));
}

// Kernels take whole matrices in the type of the hidden states.
bool LlamaLayer::has_step_kernels(const at::Tensor& hidden_TH) const {
  const auto fits = [&](const nn::Linear* linear) {
    return !linear->adapter && linear->weight_OI.scalar_type() == hidden_TH.scalar_type();
  };
  return nn::has_step_kernels(hidden_TH.scalar_type(), hidden_TH.device()) &&
         head_width % 16 == 0 && !output.biased &&
         std::ranges::all_of(std::array{&query, &key, &value, &output, &gate, &up, &down}, fits);
}

// Queries, keys and values side by side.
void LlamaLayer::normalise_heads(at::Tensor& heads_RX) const {
  const auto normalise = [&](std::int64_t begin, const nn::Linear& made_by,
                             const std::optional<nn::RmsNorm>& norm) {
    if (!norm) return;
    const at::Tensor part_RX = heads_RX.narrow(1, begin, made_by.outputs);
    part_RX.copy_((*norm)(part_RX.reshape({part_RX.size(0), -1, head_width})).flatten(1));
  };
  normalise(0, query, query_norm);
  normalise(query.outputs, key, key_norm);
}

at::Tensor LlamaLayer::step(const at::Tensor& hidden_RH, const nn::RotaryEmbedding::Angles& angles,
                            const nn::NewTokens& tokens, const nn::LayerCache& cache) const {
  // One row a sequence: reading the matrices is all the time there is, so those that read the same
  // tokens are gone through in one call.
  at::Tensor heads_RX = nn::step_products(attention_norm(hidden_RH),
                                          {query.weight_OI, key.weight_OI, value.weight_OI});
  if (query.biased) heads_RX += at::cat({query.bias_O, key.bias_O, value.bias_O});
  normalise_heads(heads_RX);
  const at::Tensor context_RX = nn::step_attention(heads_RX, angles, tokens, cache);
  const at::Tensor attended_RH = hidden_RH + nn::step_products(context_RX, {output.weight_OI});
  const at::Tensor gate_up_RX =
      nn::step_products(mlp_norm(attended_RH), {gate.weight_OI, up.weight_OI});
  return attended_RH + nn::step_products(nn::step_gated_silu(gate_up_RX), {down.weight_OI});
}

Llama::Llama(const LlamaConfig& config, const std::optional<LoraConfig>& lora)
    : config_(config),
      embeddings_(config.vocabulary_size, config.width),
      layers_(static_cast<std::size_t>(config.num_layers), LlamaLayer(config)),
      final_norm_(config.width, config.norm_epsilon),
      head_(config.width, config.vocabulary_size, false) {
  if (!lora) return;
  if (lora->targets.empty())
    throw UserError("model: lora.targets is empty; name the matrices that get an adapter");
  nn::add_adapters(nn::matrices_named(projections(), lora->targets), lora->rank, lora->alpha);
}

Llama::~Llama() = default;

std::vector<nn::NamedLinear> Llama::projections(const std::string& prefix) {
  return nn::block_matrices(layers_.size(), [&](std::size_t i) {
    return layers_[i].projections(layer_name(prefix, i) + ".");
  });
}

void Llama::declare(nn::ParameterList& list, const std::string& prefix) {
  embeddings_.declare(list, prefix + "model.embed_tokens", nn::normal(1.0));
  for (std::size_t i = 0; i < layers_.size(); ++i) layers_[i].declare(list, layer_name(prefix, i));
  final_norm_.declare(list, prefix + "model.norm");
  if (!config_.tied_embeddings) declare_with_fan_in(head_, list, prefix + "lm_head");
}

void Llama::declare_lora(nn::ParameterList& list, const std::string& prefix) {
  nn::declare_adapters(projections(prefix), list);
}

void Llama::merge_lora() {
  VLLAMA_ASSERT(!shards_, "adapters merge into whole matrices");
  nn::merge_adapters(projections());
}

void Llama::shard_layers(nn::PartExchange& processes, at::ScalarType dtype, at::Device device) {
  shards_ = std::make_unique<LayerShards>(layers_, processes, dtype, device);
}

bool Llama::keep_part(at::Tensor& weight) {
  return shards_ && shards_->keep_part(weight);
}

void Llama::complete_gathers() const {
  if (shards_) shards_->complete_round();
}

void Llama::prepare(at::ScalarType dtype, at::Device device) {
  dtype_ = dtype;
  rotary_ = nn::RotaryEmbedding(config_.head_width, config_.max_positions, config_.rope_base,
                                config_.rope_scaling, dtype, device);
}

void Llama::check_positions(std::int64_t length) const {
  if (length > config_.max_positions)
    throw UserError(fmt::format(
        "a sequence of {} tokens is longer than the {} positions of the language model; "
        "lower the text limits of the configuration",
        length, config_.max_positions));
}

nn::RotaryEmbedding::Angles Llama::angles(const nn::Segments& sequences, at::Device device) const {
  check_positions(sequences.longest());
  return rotary_.at_positions(at::tensor(sequences.positions(), at::kLong).to(device));
}

at::Tensor Llama::hidden(const at::Tensor& inputs_TH, const nn::Segments& sequences,
                         bool recompute_layers) const {
  VLLAMA_ASSERT(inputs_TH.dim() == 2 && inputs_TH.size(1) == config_.width &&
                    inputs_TH.size(0) == sequences.total(),
                fmt::format("inputs must be [{}, {}], as the sequences are long, not {}",
                            sequences.total(), config_.width, nn::shape_text(inputs_TH)));
  VLLAMA_ASSERT(!shards_ || recompute_layers, "layers in parts are recomputed in backward");
  const auto table_rows = angles(sequences, inputs_TH.device());
  at::Tensor hidden_TH = inputs_TH;
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    // Captures by value: backward runs it again when this call has long returned.
    const auto run = [this, i, table_rows, sequences](const at::Tensor& h) {
      return shards_ ? shards_->gather(i)(h, table_rows, sequences)
                     : layers_[i](h, table_rows, sequences);
    };
    hidden_TH = recompute_layers ? nn::recompute_in_backward(run, hidden_TH) : run(hidden_TH);
  }
  return hidden_TH;
}

at::Tensor Llama::extend(const at::Tensor& inputs_TH, const nn::Segments& segments,
                         std::span<const std::int64_t> slots, KeyValueCache& cache) const {
  VLLAMA_ASSERT(!shards_, "sequences go on in whole layers");
  const at::AutoGradMode no_graph(false);
  const nn::NewTokens placed = cache.place(segments, slots);
  const std::vector<std::int64_t> positions = placed.positions();
  check_positions(*std::ranges::max_element(positions) + 1);
  const auto table_rows =
      rotary_.at_positions(at::tensor(positions, at::kLong).to(inputs_TH.device()));
  at::Tensor hidden_TH = inputs_TH;
  for (std::size_t i = 0; i < layers_.size(); ++i)
    hidden_TH = layers_[i].extend(hidden_TH, table_rows, placed, cache.layer(i));
  cache.advance(placed);  // only now: a layer that throws leaves the sequences as they were
  return hidden_TH;
}

at::Tensor Llama::logits(const at::Tensor& normed_MH) const {
  // Above that a matrix product is faster than reading the matrix once for all rows.
  constexpr std::int64_t kMostStepRows = 128;
  if (normed_MH.size(0) <= kMostStepRows && !at::GradMode::is_enabled() &&
      head().scalar_type() == normed_MH.scalar_type() &&
      nn::has_step_kernels(normed_MH.scalar_type(), normed_MH.device()))
    return nn::step_products(normed_MH, {head()}).to(at::kFloat);
  return nn::linear_product(normed_MH, nn::in_type_of(head(), normed_MH)).to(at::kFloat);
}

const at::Tensor& Llama::head() const {
  return config_.tied_embeddings ? embeddings_.weight_RW : head_.weight_OI;
}

}  // namespace vllama::language
