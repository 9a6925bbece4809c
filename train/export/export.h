// Writes what was trained in forms that others read.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "config/enum_names.h"

namespace vllama::train {

// What is written of the adapters of a language model.
enum class LoraForm { separate, merged };
constexpr auto names_of(LoraForm) {
  return config::EnumNames<LoraForm, 2>{
      {{LoraForm::separate, "separate"}, {LoraForm::merged, "merged"}}};
}

struct ExportOptions {
  std::filesystem::path checkpoint;  // see find_checkpoint(), or a .pth of the Python original
  std::vector<std::string> overrides = {};
  std::filesystem::path output;
  LoraForm lora = LoraForm::separate;
  bool force = false;  // may replace what an earlier export wrote
};

// A folder: trained.safetensors under the names of a checkpoint, model_card.json, README.md. With
// adapters also language_model_adapter/ (peft's form), or merged language_model/ (a Hugging Face
// folder) in their place. Of a .pth file what it holds of the trained part; its configuration
// becomes part of the card.
void export_safetensors(const ExportOptions& options);

// A file that the Python original takes as `ckpt` and, if the run trained what that trains, as
// `resume_ckpt_path`. With adapters also a folder beside it, STEM_language_model_adapter or
// STEM_language_model.
void export_pth(const ExportOptions& options);

enum class BaseWeights { link, copy };
constexpr auto names_of(BaseWeights) {
  return config::EnumNames<BaseWeights, 2>{
      {{BaseWeights::link, "link"}, {BaseWeights::copy, "copy"}}};
}

// A folder that eval::open_bundle() opens without any other path.
void export_bundle(const ExportOptions& options, BaseWeights base);

// All of them throw UserError naming the file and what to change, and RunFailure for a full disk;
// then nothing is left behind and what was there before stays.

}  // namespace vllama::train
