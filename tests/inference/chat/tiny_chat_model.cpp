#include "tests/inference/chat/tiny_chat_model.h"

#include "core/files.h"
#include "models/load_video_llama.h"
#include "models/random_weights.h"
#include "tests/support/small_tower.h"
#include "text/tokenizers/sentencepiece_tokenizer.h"

namespace vllama::test {
namespace {

models::WeightSizes sizes() {
  models::WeightSizes sizes;
  sizes.vision.encoder = encoders::EvaVitConfig{
      .image_size = 28, .width = 32, .num_blocks = 2, .num_heads = 2, .mlp_width = 64};
  sizes.vision.resampler = {.num_queries = 4,
                            .num_layers = 2,
                            .width = 32,
                            .num_heads = 2,
                            .mlp_width = 64,
                            .cross_attention_every = 2};
  sizes.vision.q_former = sizes.vision.resampler;
  sizes.vision.q_former.num_queries = 3;
  sizes.vision.q_former.cross_attention_every = 1;
  sizes.vision.max_positions = 8;
  models::AudioConfig audio;
  audio.twin = encoders::ImageBindVisionConfig{.image_size = 28,
                                               .patch_size = 14,
                                               .width = 32,
                                               .num_blocks = 1,
                                               .num_heads = 2,
                                               .mlp_width = 64};
  audio.encoder =
      encoders::ImageBindAudioConfig{.width = 32, .num_blocks = 1, .num_heads = 2, .mlp_width = 64};
  audio.embedding_width = 32;
  audio.q_former = sizes.vision.q_former;
  audio.q_former.num_queries = 2;
  audio.max_positions = 8;
  sizes.audio = audio;
  sizes.language = {
      .width = 32, .mlp_width = 64, .num_layers = 2, .num_heads = 2, .max_positions = 384};
  return sizes;
}

void write_weights(const models::WeightSizes& sizes, const TemporaryFolder& folder) {
  const auto tokenizer = golden_file("text/llama_tokenizer.model");
  models::write_random_weights(sizes, text::SentencePieceTokenizer(tokenizer).size(), 1,
                               folder.path());
  write_file_atomically(folder.path() / "llama/tokenizer.model", read_file(tokenizer));
}

inference::OpenedModel opened(const models::ModelConfig& config) {
  inference::OpenedModel opened;
  opened.model = models::load_video_llama(config, at::kCPU, 1);
  opened.tokenizer = std::make_unique<text::SentencePieceTokenizer>(
      std::filesystem::path(config.weights.language_model) / "tokenizer.model");
  return opened;
}

}  // namespace

models::ModelConfig write_tiny_chat_weights(const TemporaryFolder& folder,
                                            const std::string& branches) {
  write_weights(sizes(), folder);
  models::ModelConfig config;
  config.branches = *config::value_named<models::BranchSet>(branches);
  config.vision = sizes().vision;
  config.audio = *sizes().audio;
  config.precision = models::Precision::fp32;
  config.weights.language_model = folder.path() / "llama";
  if (config.has_vision()) {
    config.weights.vision_encoder = folder.path() / "eva_vit_g.pth";
    config.weights.q_former = folder.path() / "blip2_qformer.pth";
  }
  if (config.has_audio()) config.weights.image_bind = folder.path() / "imagebind_huge.pth";
  return config;
}

inference::OpenedModel tiny_chat_model(const TemporaryFolder& folder, const std::string& branches) {
  return opened(write_tiny_chat_weights(folder, branches));
}

inference::OpenedModel tiny_chat_model_of_today(const TemporaryFolder& folder) {
  models::WeightSizes today = sizes();
  today.vision.encoder =
      small_tower<encoders::SiglipConfig>({.image_size = 28, .patch_size = 14}, 32, 1, 64);
  today.vision.connector = models::ConnectorKind::mlp;
  today.vision.mlp.merge = 2;
  today.vision.positions = models::PositionKind::none;
  today.audio->encoder = encoders::WhisperConfig{.num_mel_bins = 80,
                                                 .width = 32,
                                                 .num_blocks = 1,
                                                 .num_heads = 2,
                                                 .mlp_width = 64,
                                                 .max_positions = 100};
  today.audio->window_seconds = 0.5;
  write_weights(today, folder);
  models::ModelConfig config;
  config.branches = models::BranchSet::vision_and_audio;
  config.vision = today.vision;
  config.audio = *today.audio;
  config.precision = models::Precision::fp32;
  config.weights.language_model = folder.path() / "llama";
  config.weights.vision_encoder = folder.path() / "vision_encoder.safetensors";
  config.weights.audio_encoder = folder.path() / "audio_encoder.safetensors";
  return opened(config);
}

}  // namespace vllama::test
