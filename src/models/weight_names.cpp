#include "models/weight_names.h"

#include <algorithm>
#include <array>
#include <regex>
#include <string_view>

namespace vllama::models {
namespace {

constexpr std::array<std::string_view, 4> kVisionBranch{
    "video_query_tokens", "video_frame_position_embedding.", "video_Qformer.", "llama_proj."};
constexpr std::array<std::string_view, 4> kAudioBranch{
    "audio_query_tokens", "audio_position_embedding.", "audio_Qformer.", "audio_llama_proj."};

bool starts_with_any(const std::string& name, const std::array<std::string_view, 4>& beginnings) {
  return std::ranges::any_of(
      beginnings, [&](std::string_view beginning) { return name.starts_with(beginning); });
}

// What the Python original saves of modules that do not train.
bool is_buffer_of_frozen_module(const std::string& name) {
  return name.ends_with(".position_ids") || is_unused_language_model_name(name) ||
         name.starts_with("audio_encoder.");
}

}  // namespace

bool is_unused_encoder_name(const std::string& name, std::int64_t num_blocks) {
  static const std::regex block(R"(blocks\.(\d{1,6})\..*)");
  std::smatch match;
  if (std::regex_match(name, match, block)) return std::stoll(match[1]) >= num_blocks;
  return name.starts_with("norm.") || name.starts_with("head.");
}

bool is_unused_q_former_name(const std::string& name) {
  static const std::regex text_path(
      R"(Qformer\.bert\.encoder\.layer\.\d+\.(intermediate|output)\..*)");
  return std::regex_match(name, text_path) || name.starts_with("t5_proj.") ||
         name.starts_with("opt_proj.") || name.starts_with("Qformer.cls.") ||
         name.starts_with("Qformer.bert.embeddings.word_embeddings.") ||
         name.starts_with("Qformer.bert.embeddings.position_embeddings.") ||
         name.ends_with(".position_ids");
}

bool is_unused_language_model_name(const std::string& name) {
  return name.ends_with(".rotary_emb.inv_freq");
}

bool is_unused_image_bind_name(const std::string& name) {
  static const std::regex other_modality(R"(modality_[a-z]+\.(text|depth|thermal|imu)\..*)");
  return std::regex_match(name, other_modality);
}

bool is_unused_in_vision_checkpoint(const std::string& name) {
  return is_buffer_of_frozen_module(name) || starts_with_any(name, kAudioBranch);
}

bool is_unused_in_audio_checkpoint(const std::string& name) {
  return is_buffer_of_frozen_module(name) || starts_with_any(name, kVisionBranch);
}

}  // namespace vllama::models
