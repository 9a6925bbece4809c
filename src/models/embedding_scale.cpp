#include "models/embedding_scale.h"

#include <fmt/format.h>

#include <filesystem>

#include "config/tree.h"

namespace vllama::models {
namespace {

// Empty if nothing tells.
std::string scale_in_config(const std::filesystem::path& path) {
  const config::Tree run = config::load_file(path);
  const config::Tree* node = &run;
  for (const char* key : {"model", "audio", "embedding_scale"})
    if ((node = node->find(key)) == nullptr) return {};
  return node->scalar;
}

std::string trained_scale(const std::filesystem::path& file) {
  const auto config =
      (std::filesystem::is_directory(file) ? file : file.parent_path()) / "config.yaml";
  if (std::filesystem::exists(config)) return scale_in_config(config);
  return file.extension() == ".pth" ? "published" : "";
}

}  // namespace

std::string other_scale_warning(const std::string& file, encoders::EmbeddingScale scale) {
  const std::string used = config::name_of(scale);
  const std::string trained = trained_scale(file);
  if (trained.empty() || trained == used) return {};
  return fmt::format(
      "'{0}' was trained with embeddings of the scale '{1}', but model.audio.embedding_scale is "
      "'{2}': what the audio branch has learned does not carry over; set it to {1}",
      file, trained, used);
}

}  // namespace vllama::models
