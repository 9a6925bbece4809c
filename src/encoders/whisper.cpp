#include "encoders/whisper.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "encoders/block_number.h"
#include "encoders/encoder.h"
#include "encoders/hf_folder.h"
#include "encoders/published_names.h"
#include "encoders/transformer_cost.h"
#include "encoders/whisper_encoder.h"
#include "samples/whole_sound.h"
#include "weights/file_sizes.h"

namespace vllama::encoders {
namespace {

// Of the model that also writes, of the model without its output layer, and of the encoder alone.
constexpr std::array<std::string_view, 3> kWhisperPrefixes{"model.encoder.", "encoder.", ""};
constexpr std::string_view kFirstKernel = "conv1.weight";
constexpr const char* kPositionRows = "embed_positions.weight";

class WhisperEncoder final : public Encoder {
 public:
  // declare() throws UserError for sizes that do not fit together.
  explicit WhisperEncoder(const WhisperConfig& config) : trunk_(config) {}

  samples::EncoderInput input() const override {
    return samples::whole_sound(trunk_.config().num_mel_bins, trunk_.config().max_positions);
  }
  std::int64_t tokens_per_unit() const override { return trunk_.config().max_positions; }
  std::int64_t width() const override { return trunk_.config().width; }

  at::Tensor prepared(const at::Tensor& mel_KMT) const override {
    return mel_KMT.to(trunk_.dtype());
  }
  at::Tensor operator()(const at::Tensor& mel_KMT) const override { return trunk_(mel_KMT); }

  void declare(nn::ParameterList& list) override {
    trunk_.declare(list, std::string(kWhisperPrefixes.front()));
  }
  // A checkpoint also holds what writes down what is heard.
  bool is_unused(const std::string& name) const override {
    return name.starts_with("model.decoder.") || name.starts_with("decoder.") ||
           name == "proj_out.weight";
  }
  // The position table may have more rows than a piece has tokens.
  void take_shapes(nn::ParameterList& parameters, const weights::TensorSource& file) const override;
  void finish_reading(const weights::TensorSource& /*file*/) override { trunk_.fit_positions(); }

  EncoderCost cost_per_unit() const override;
  std::int64_t num_blocks() const override { return trunk_.config().num_blocks; }
  std::vector<nn::NamedLinear> block_matrices() override {
    return trunk_.block_matrices(std::string(kWhisperPrefixes.front()));
  }
  bool is_in_last_blocks(const std::string& name, std::int64_t count) const override {
    if (name.ends_with("encoder.layer_norm.weight") || name.ends_with("encoder.layer_norm.bias"))
      return true;
    return block_number(name, "layers.").value_or(-1) >= num_blocks() - count;
  }

 private:
  WhisperTrunk trunk_;
};

void WhisperEncoder::take_shapes(nn::ParameterList& parameters,
                                 const weights::TensorSource& file) const {
  take_prefix(parameters, kWhisperPrefixes, kFirstKernel, file);
  const auto positions = std::ranges::find_if(
      parameters, [](const auto& entry) { return entry.name.ends_with(kPositionRows); });
  if (positions == parameters.end()) return;
  for (const weights::TensorFacts& facts : file.tensors())
    if (facts.name == positions->name && facts.shape.size() == 2 &&
        facts.shape[0] > positions->shape[0])
      positions->shape[0] = facts.shape[0];
}

EncoderCost WhisperEncoder::cost_per_unit() const {
  const WhisperConfig& config = trunk_.config();
  constexpr double kKernel = 3;
  const auto tokens = static_cast<double>(config.num_tokens());
  const auto width = static_cast<double>(config.width);
  EncoderCost cost = transformer_cost(config, /*patch_elements=*/0);
  cost.flops +=
      product_flops(2 * tokens, kKernel * static_cast<double>(config.num_mel_bins), width) +
      product_flops(tokens, kKernel * width, width);
  return cost;
}

}  // namespace

std::unique_ptr<Encoder> make_encoder(const WhisperConfig& sizes, const SharedSpace& /*space*/) {
  return std::make_unique<WhisperEncoder>(sizes);
}

void read_sizes(weights::FileSizes& file, WhisperConfig& config, const std::string& section) {
  const weights::TensorShapes& shapes = file.shapes();
  for (const std::string_view prefix : kWhisperPrefixes) {
    const std::string in_file(prefix);
    const std::string convolution = in_file + std::string(kFirstKernel),
                      blocks = in_file + "layers.";
    if (!shapes.holds(convolution)) continue;
    file.take(section + ".num_mel_bins", config.num_mel_bins, convolution, 1);
    file.take(section + ".width", config.width, convolution, 0);
    // Shorter pieces than the file's take the first of its positions.
    const std::string positions = in_file + kPositionRows;
    if (!config.max_positions.is_given() ||
        config.max_positions > shapes.extent(positions, 0).value_or(0))
      file.take(section + ".max_positions", config.max_positions, positions, 0);
    file.take(section + ".mlp_width", config.mlp_width, blocks + "0.fc1.weight", 0);
    file.take_count(section + ".num_blocks", config.num_blocks, blocks, "fc1.weight");
    break;
  }
  const auto json_config = read_hf_config(file.path(), /*section=*/"");
  if (json_config) require_text(*json_config, "activation_function", "gelu");
  if (const auto json = read_hf_preprocessor(file.path())) {
    require_number(*json, "feature_size", config.num_mel_bins);
    require_number(*json, "sampling_rate", 16000);
    require_number(*json, "hop_length", 160);
    require_number(*json, "n_fft", 400);
  }
  take_heads(file, section, config.num_heads, config.width, WhisperConfig{}.width, json_config,
             "encoder_attention_heads");
}

}  // namespace vllama::encoders
