// Writes base weights in the layouts of the published files, as load_video_llama reads them.
#pragma once

#include <filesystem>
#include <functional>

#include "language/llama.h"
#include "models/branch.h"

namespace vllama::models {

inline constexpr char kVisionEncoderFile[] = "eva_vit_g.pth";
inline constexpr char kImageQFormerFile[] = "blip2_qformer.pth";
inline constexpr char kImageBindFile[] = "imagebind_huge.pth";
// Encoders that are not of the original, as Hugging Face's files name their tensors.
inline constexpr char kOtherVisionEncoderFile[] = "vision_encoder.safetensors";
inline constexpr char kAudioEncoderFile[] = "audio_encoder.safetensors";
inline constexpr char kLanguageModelFolder[] = "llama";

// Where the values of a parameter come from: asked for one parameter at a time, so that no more
// than one need be in memory.
using ParameterValues = std::function<at::Tensor(const nn::Parameter&)>;
// What the model holds.
at::Tensor held_values(const nn::Parameter& parameter);

// Each writes the part below `folder`, which must exist, under its name above. Factors of
// modalities stay fp32 whatever `dtype` is, since half precision would make 20.005 of 20.
void write_vision_encoder(Branch& vision, const std::filesystem::path& folder, at::ScalarType dtype,
                          const ParameterValues& values = held_values);
void write_image_q_former(Branch& vision, const std::filesystem::path& folder, at::ScalarType dtype,
                          const ParameterValues& values = held_values);
// `encoders` are the parameters of both. Of text, depth, heat and motion the file holds the factors
// and no encoders.
void write_image_bind(const nn::ParameterList& encoders, const std::filesystem::path& folder,
                      at::ScalarType dtype, const ParameterValues& values = held_values);
// `file` is one of the last two.
void write_encoder(Branch& branch, const std::filesystem::path& file, at::ScalarType dtype,
                   const ParameterValues& values = held_values);
void write_language_model(language::Llama& llama, const language::LlamaConfig& config,
                          const std::filesystem::path& folder, at::ScalarType dtype,
                          const ParameterValues& values = held_values);

}  // namespace vllama::models
