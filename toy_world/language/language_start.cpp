#include "toy_world/language/language_start.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/linalg_qr.h>

#include <array>
#include <cmath>

#include "core/error.h"

namespace vllama::toy {
namespace {

constexpr double kConstant = 4;  // entry 0 of every word
// Of the heads that look back. A word that decides an answer stands 1 or 3 words behind the one it
// depends on, or 5: "a bar?\n###Assistant:".
constexpr std::array kDistances{1, 2, 3, 5};
constexpr int kNumFastPairs = 4;     // rotary pairs that tell the places apart
constexpr double kHeadScale = 0.3;   // of the output matrix, against its usual start
constexpr double kOutputGain = 1.5;  // of what is carried
constexpr double kQuietScale = 0.1;  // of the random part of queries and keys
// What RMSNorm makes of the constant beside entries of deviation 1, at width 128.
constexpr double kNormedConstant = 3.76;

class Start {
 public:
  Start(const nn::ParameterList& parameters, const language::LlamaConfig& config)
      : parameters_(parameters), config_(config) {}

  at::Tensor named(const std::string& name) const {
    for (const nn::Parameter& parameter : parameters_)
      if (parameter.name == name) return *parameter.tensor;
    throw InternalError("the language model has no " + name);
  }

  // Rows of a head in a matrix of layer 0.
  at::Tensor head_rows(const std::string& matrix, std::int64_t head) const {
    return named("model.layers.0.self_attn." + matrix + ".weight")
        .narrow(0, head * config_.head_width, config_.head_width);
  }

  // q and k such that the score is largest `distance` words back: the constant is rotated by as
  // many places.
  void look_back(std::int64_t head, int distance) const {
    const std::int64_t half = config_.head_width / 2;
    const double width = static_cast<double>(config_.head_width);
    const double gain = std::sqrt(8 * std::sqrt(width)) / kNormedConstant;
    at::Tensor query = head_rows("q_proj", head), key = head_rows("k_proj", head);
    for (at::Tensor rows : {query, key}) {
      rows.mul_(kQuietScale);
      rows.select(1, 0).zero_();
    }
    for (std::int64_t pair = 0; pair < kNumFastPairs; ++pair) {
      const double angle =
          distance * std::pow(config_.rope_base, -2.0 * static_cast<double>(pair) / width);
      key[pair][0].fill_(gain);
      query[pair][0].fill_(gain * std::cos(angle));
      query[pair + half][0].fill_(-gain * std::sin(angle));
    }
  }

  // v reads `directions` [head width, H] of the word, o writes them back.
  void carry(std::int64_t head, const at::Tensor& directions) const {
    head_rows("v_proj", head).copy_(directions);
    named("model.layers.0.self_attn.o_proj.weight")
        .narrow(1, head * config_.head_width, config_.head_width)
        .copy_(directions.t() * kOutputGain);
  }

 private:
  const nn::ParameterList& parameters_;
  const language::LlamaConfig& config_;
};

// A random orthogonal matrix [H, H] without its part in entry 0.
at::Tensor orthogonal(std::int64_t width, std::uint64_t seed) {
  at::Tensor random;
  nn::initialize({{"directions", {width, width}, &random, nn::normal(1)}}, seed);
  at::Tensor directions = std::get<0>(at::linalg_qr(random)).contiguous();
  directions.select(1, 0).zero_();
  return directions;
}

}  // namespace

void start_looking_back(const nn::ParameterList& parameters, const language::LlamaConfig& config,
                        std::uint64_t seed) {
  const auto num_heads = static_cast<std::int64_t>(kDistances.size());
  VLLAMA_ASSERT(config.num_heads >= num_heads && config.num_heads == config.num_key_value_heads &&
                    num_heads * config.head_width <= config.width,
                "heads that look back carry disjoint parts of a word");
  const Start start(parameters, config);
  start.named("model.embed_tokens.weight").select(1, 0).fill_(kConstant);
  at::Tensor head = start.named("lm_head.weight");
  head.mul_(kHeadScale);
  head.select(1, 0).zero_();
  const double residual_scale = 1 / std::sqrt(2.0 * static_cast<double>(config.num_layers));
  for (std::int64_t layer = 0; layer < config.num_layers; ++layer)
    for (const char* matrix : {".self_attn.o_proj.weight", ".mlp.down_proj.weight"})
      start.named("model.layers." + std::to_string(layer) + matrix).mul_(residual_scale);
  const at::Tensor directions = orthogonal(config.width, seed);
  for (std::int64_t i = 0; i < num_heads; ++i) {
    start.look_back(i, kDistances[static_cast<std::size_t>(i)]);
    start.carry(i, directions.narrow(0, i * config.head_width, config.head_width));
  }
}

}  // namespace vllama::toy
