// Says what an exported model is, for programs and for people.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "inference/chat_settings.h"
#include "train/export/export.h"
#include "train/provenance/base_files.h"
#include "train/saved/model_card_file.h"
#include "train/saved/saved_checkpoint.h"

namespace vllama::train {

// A base file as it is known again.
struct HashedFile {
  BaseFile file;
  std::uint64_t num_bytes = 0;
  std::string sha256;
};

// Reads every byte of files whose hash is not known from an earlier time; says so in the log.
std::vector<HashedFile> hashed(const std::vector<BaseFile>& files);

// What of an exported folder the card describes.
struct ExportedModel {
  std::vector<std::pair<std::string, at::Tensor>> trained;
  std::vector<HashedFile> base;
  inference::ChatSettings chat;
  std::string form;                     // "safetensors" or "bundle"
  std::string language_model = "base";  // or "adapters", "merged", "trained"
};

// ExportedModel::language_model of an export that writes adapters so.
std::string language_model_form(const std::vector<std::pair<std::string, at::Tensor>>& trained,
                                LoraForm lora);

// {"format", "program", "form", "source": {...}, "training": {"steps", "samples", "dropped",
// "metrics"}, "data": [...], "chat": {...}, "language_model", "base_weights": [{"key", "file",
// "bytes", "sha256"}], "trained": {"tensors", "elements", "modules" that this run
// trained, "other_modules"}, "config": {...}}. What a
// configuration without a step does not know is null.
nlohmann::ordered_json model_card(const SavedCheckpoint& saved, const ExportedModel& exported);

// The same as a text in Markdown.
std::string readme(const nlohmann::ordered_json& card);

}  // namespace vllama::train
