// Which names in the published weight files are there on purpose and of no use to us.
#pragma once

#include <cstdint>
#include <string>

namespace vllama::models {

// eva_vit_g.pth holds one block more than BLIP-2 uses, a final norm and a classification head.
bool is_unused_encoder_name(const std::string& name, std::int64_t num_blocks);

// BLIP-2 files hold the text path of the Q-Former, a language projection and an index buffer.
bool is_unused_q_former_name(const std::string& name);

// LLaMA files may hold rotary frequencies, which are always computed anew.
bool is_unused_language_model_name(const std::string& name);

// imagebind_huge.pth also holds the encoders of text, depth, heat and motion.
bool is_unused_image_bind_name(const std::string& name);

// Training checkpoints hold buffers of frozen modules and, in joint models, the other branch: what
// else than the vision branch, or than the audio branch, may lie in one.
bool is_unused_in_vision_checkpoint(const std::string& name);
bool is_unused_in_audio_checkpoint(const std::string& name);

}  // namespace vllama::models
