#include "models/weight_names.h"

#include <regex>

namespace vllama::models {

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

bool is_unused_checkpoint_name(const std::string& name) {
  return name.ends_with(".position_ids") || is_unused_language_model_name(name) ||
         name.starts_with("audio_");
}

}  // namespace vllama::models
