// What a run says about its model: sizes, weight files, precision.
#pragma once

#include <c10/core/ScalarType.h>

#include "language/lora_config.h"
#include "models/branch_config.h"
#include "models/trainable.h"

namespace vllama::models {

// The published files; those of a branch are needed only if the model has it. The language model's
// sizes come from the config.json in its folder.
struct WeightFiles {
  std::string vision_encoder = {};
  std::string q_former = {};
  std::string image_bind = {};
  std::string audio_encoder = {};
  std::string language_model = {};
  std::string projection = {};
  std::string vision_checkpoint = {};
  std::string audio_checkpoint = {};
  std::string saved_step = {};

  // By the key of the configuration, which is one of those below.
  std::string& named(std::string_view key);
  const std::string& named(std::string_view key) const;
  // The keys, in their order.
  static std::vector<std::string> keys();

  template <class Visitor>
  void visit(Visitor&& field) {
    field("vision_encoder", vision_encoder,
          "eva_vit_g.pth, or the folder or file of another image encoder, for the vision branch",
          config::Path{});
    field("q_former", q_former,
          "blip2_pretrained_flant5xxl.pth, for a Q-Former over each frame; not needed where that "
          "trains from the beginning",
          config::Path{});
    field("image_bind", image_bind, "imagebind_huge.pth, for an audio branch that hears with it",
          config::Path{});
    field("audio_encoder", audio_encoder,
          "the folder or file of Whisper, for an audio branch that hears with it", config::Path{});
    field("language_model", language_model,
          "Hugging Face folder with weights and tokenizer.model or tokenizer.json", config::Path{},
          config::Required{});
    field("projection", projection,
          "MiniGPT-4 file whose llama_proj starts the projection; optional", config::Path{});
    field("vision_checkpoint", vision_checkpoint,
          "Video-LLaMA checkpoint or saved step that the trained part of the vision branch starts "
          "from; optional",
          config::Path{});
    field("audio_checkpoint", audio_checkpoint, "the same for the audio branch; optional",
          config::Path{});
    field("saved_step", saved_step,
          "trainable.safetensors of an earlier run, read last: whatever modules it trained start "
          "from there; optional",
          config::Path{});
  }
};

// What a model has besides its language model.
enum class BranchSet { vision, audio, vision_and_audio, none };
constexpr auto names_of(BranchSet) {
  return config::EnumNames<BranchSet, 4>{{{BranchSet::vision, "vision"},
                                          {BranchSet::audio, "audio"},
                                          {BranchSet::vision_and_audio, "vision_and_audio"},
                                          {BranchSet::none, "none"}}};
}

// The number format of the frozen parts.
enum class Precision { bf16, fp32 };
constexpr auto names_of(Precision) {
  return config::EnumNames<Precision, 2>{{{Precision::bf16, "bf16"}, {Precision::fp32, "fp32"}}};
}
constexpr at::ScalarType frozen_type(Precision precision) {
  return precision == Precision::bf16 ? at::kBFloat16 : at::kFloat;
}

struct ModelConfig {
  BranchSet branches = BranchSet::vision;
  VisionConfig vision;
  AudioConfig audio;
  WeightFiles weights;
  std::vector<TrainedModule> trainable;
  language::LoraConfig lora;
  Precision precision = Precision::bf16;
  double dropout = 0.1;
  bool recompute_layers = false;
  std::int64_t loss_rows_at_once = 512;
  std::int64_t feature_memory_bytes = 0;

  // The keys of the published files, besides the language model, that the branches are made of.
  std::vector<std::string> encoder_file_keys() const;

  // Whether its branches are those of the Python original, which knows no other encoders and
  // connectors.
  bool is_of_original() const;

  bool has_vision() const {
    return branches == BranchSet::vision || branches == BranchSet::vision_and_audio;
  }
  bool has_audio() const {
    return branches == BranchSet::audio || branches == BranchSet::vision_and_audio;
  }

  template <class Visitor>
  void visit(Visitor&& field) {
    field("branches", branches,
          "what the model has besides its language model; none: a chat without pictures and sound");
    field("vision", vision, "vision branch");
    field("audio", audio, "audio branch");
    field("weights", weights, "files to read");
    field("trainable", trainable,
          "modules that train; empty: the Q-Formers, positions and projections of the branches");
    field("lora", lora, "adapters of the language model, where trainable names lora");
    field("precision", precision, "number format of the frozen parts: bf16 or fp32");
    field("dropout", dropout, "dropout in the trained Q-Former", config::Range{0.0, 0.9});
    field("recompute_layers", recompute_layers,
          "keep only the inputs of language-model layers for the backward pass: less memory, more "
          "time");
    field("loss_rows_at_once", loss_rows_at_once,
          "target tokens whose logits exist at the same time", config::AtLeast<std::int64_t>{1});
    field("feature_memory_bytes", feature_memory_bytes,
          "memory of each frozen encoder for what it made of frames or sounds, taken from there "
          "when the same ones come again; for small data without random crops. 0: none",
          config::AtLeast<std::int64_t>{0});
  }
};

}  // namespace vllama::models
