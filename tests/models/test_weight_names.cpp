#include <catch2/catch.hpp>

#include "encoders/encoder.h"
#include "encoders/eva.h"
#include "encoders/image_bind_encoders.h"
#include "models/weight_names.h"

using namespace vllama;
using namespace vllama::models;
using encoders::is_unused_image_bind_name;

namespace {

bool is_unused_encoder_name(const std::string& name, std::int64_t num_blocks) {
  encoders::EvaVitConfig config;
  config.num_blocks = num_blocks;
  return make_encoder(config, encoders::SharedSpace{})->is_unused(name);
}
bool is_unused_in_vision_checkpoint(const std::string& name) {
  return is_unused_in_checkpoint(name, ModulePlace::vision_branch);
}
bool is_unused_in_audio_checkpoint(const std::string& name) {
  return is_unused_in_checkpoint(name, ModulePlace::audio_branch);
}

}  // namespace

TEST_CASE("ImageBind's other modalities are of no use, its pictures and sound are") {
  for (const char* name :
       {"modality_preprocessors.text.mask", "modality_trunks.thermal.blocks.0.attn.bias_k",
        "modality_heads.imu.3.weight", "modality_postprocessors.depth.1.log_logit_scale"})
    CHECK(is_unused_image_bind_name(name));
  for (const char* name :
       {"modality_preprocessors.vision.cls_token", "modality_trunks.audio.blocks.0.attn.bias_k",
        "modality_postprocessors.audio.1.log_logit_scale", "text.mask",
        "modality_trunks.texture.w"})
    CHECK_FALSE(is_unused_image_bind_name(name));
}

TEST_CASE("encoder and Q-Former files hold blocks and paths that are of no use") {
  for (const char* name : {"blocks.39.attn.q_bias", "blocks.000040.x", "norm.weight", "head.bias"})
    CHECK(is_unused_encoder_name(name, 39));
  for (const char* name :
       {"blocks.38.attn.q_bias", "blocks.39", "blocks..w", "blocks.1234567.w", "blocks.4x.w", "w"})
    CHECK_FALSE(is_unused_encoder_name(name, 39));
  for (const char* name : {"Qformer.bert.encoder.layer.11.intermediate.dense.weight",
                           "Qformer.bert.encoder.layer.0.output.dense.bias", "t5_proj.weight"})
    CHECK(is_unused_q_former_name(name));
  for (const char* name : {"Qformer.bert.encoder.layer.0.output_query.dense.bias",
                           "Qformer.bert.encoder.layer.x.output.dense.bias",
                           "Qformer.bert.encoder.layer.0.output", "query_tokens"})
    CHECK_FALSE(is_unused_q_former_name(name));
}

TEST_CASE("names of any length are told apart") {
  const std::string tail(1'000'000, 'x');
  CHECK(is_unused_encoder_name("blocks.39." + tail, 39));
  CHECK(is_unused_q_former_name("Qformer.bert.encoder.layer.1.output." + tail));
  CHECK(is_unused_image_bind_name("modality_heads.imu." + tail));
  CHECK_FALSE(is_unused_image_bind_name("modality_" + tail));
}

TEST_CASE(
    "a checkpoint may hold buffers of frozen modules and the other branch, but no stray names") {
  for (const char* name : {"Qformer.bert.embeddings.position_ids",
                           "llama_model.model.layers.1.self_attn.rotary_emb.inv_freq",
                           "audio_encoder.modality_preprocessors.text.mask",
                           "audio_encoder.modality_postprocessors.audio.1.log_logit_scale"}) {
    CHECK(is_unused_in_vision_checkpoint(name));
    CHECK(is_unused_in_audio_checkpoint(name));
  }
  for (const char* name :
       {"audio_query_tokens", "audio_position_embedding.weight", "audio_llama_proj.bias",
        "audio_Qformer.bert.encoder.layer.2.attention.self.query.weight"}) {
    CHECK(is_unused_in_vision_checkpoint(name));
    CHECK_FALSE(is_unused_in_audio_checkpoint(name));
  }
  for (const char* name :
       {"video_query_tokens", "video_frame_position_embedding.weight", "llama_proj.bias",
        "video_Qformer.bert.encoder.layer.2.attention.self.query.weight"}) {
    CHECK(is_unused_in_audio_checkpoint(name));
    CHECK_FALSE(is_unused_in_vision_checkpoint(name));
  }
  CHECK_FALSE(is_unused_in_vision_checkpoint("audio_surprise"));
  CHECK_FALSE(is_unused_in_audio_checkpoint("video_surprise"));
}
