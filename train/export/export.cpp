#include "train/export/export.h"

#include <fmt/format.h>

#include <algorithm>

#include "checkpoint/step_directory.h"
#include "core/error.h"
#include "core/files.h"
#include "core/log.h"
#include "inference/bundle/model_in_use.h"
#include "models/load_video_llama.h"
#include "models/modules.h"
#include "train/export/language_model.h"
#include "train/export/model_card.h"
#include "train/export/new_output.h"
#include "train/export/published_file.h"
#include "train/export/write_bundle.h"
#include "train/original/reference_checkpoint.h"
#include "train/saved/open_saved.h"
#include "weights/write.h"

namespace vllama::train {
namespace {

namespace fs = std::filesystem;
using NamedList = std::vector<std::pair<std::string, at::Tensor>>;

bool has_adapters(const NamedList& trained) {
  return std::ranges::any_of(trained,
                             [](const auto& entry) { return is_of_language_adapter(entry.first); });
}

NamedList without_adapters(NamedList trained) {
  std::erase_if(trained, [](const auto& entry) { return is_of_language_adapter(entry.first); });
  return trained;
}

std::optional<models::ModuleName> trained_encoder(const NamedList& trained) {
  for (const auto& [name, tensor] : trained)
    if (const auto module = models::module_of(name); module && models::is_of_encoder(*module))
      return module;
  return std::nullopt;
}

// Of a saved step; nothing without one. Throws UserError if the file is damaged.
weights::NamedTensors moments_of(const SavedCheckpoint& saved) {
  if (!saved.progress) return {};
  return checkpoint::load_step_files(saved.path, {"optimizer.safetensors"}).tensors.at("optimizer");
}

void write_card(const fs::path& folder, const nlohmann::ordered_json& card) {
  write_file_atomically(folder / kModelCardFile, card.dump(2) + "\n");
  write_file_atomically(folder / "README.md", readme(card));
}

void tell(const fs::path& output, const NamedList& trained) {
  std::int64_t num_elements = 0;
  for (const auto& [name, tensor] : trained) num_elements += tensor.numel();
  log::info("exported {} tensors ({:.1f} M numbers) to '{}'", trained.size(),
            static_cast<double>(num_elements) / 1e6, output.string());
}

// What lies beside a .pth: "model.pth" -> "model_language_model".
fs::path companion(const fs::path& file, LoraForm lora) {
  const char* ending = lora == LoraForm::merged ? "_language_model" : "_language_model_adapter";
  return file.parent_path() / (file.stem().string() + ending);
}

void write_language_model(const fs::path& folder, const NamedList& trained,
                          const models::ModelConfig& model, LoraForm lora) {
  if (lora == LoraForm::merged)
    write_merged(folder, trained, model);
  else
    write_adapters(folder, trained, model);
}

}  // namespace

Exportable read_exportable(const ExportOptions& options) {
  Exportable source{.saved = find_checkpoint(options.checkpoint, options.overrides)};
  RunConfig& config = source.saved.config;
  const models::ModelConfig model = inference::starting_points_needed(
      {.model = config.model, .trained = source.saved.trained_file(), .seed = config.seed});
  source.trained = models::read_trained_part(model, source.saved.trained_file(), config.seed);
  source.chat = chat_settings(source.saved);
  return source;
}

void export_safetensors(const ExportOptions& options) {
  require_replaceable(options.output, OutputKind::folder, options.force);
  if (is_published_file(options.checkpoint)) return convert_published_file(options);
  const Exportable source = read_exportable(options);
  const models::ModelConfig& model = source.saved.config.model;
  const bool is_merged = has_adapters(source.trained) && options.lora == LoraForm::merged;
  const NamedList kept = is_merged ? without_adapters(source.trained) : source.trained;
  NewFolder folder(options.output);
  weights::write_safetensors(folder.path() / "trained.safetensors",
                             weights::NamedTensors(kept.begin(), kept.end()));
  if (has_adapters(source.trained))
    write_language_model(folder.path() / (is_merged ? "language_model" : "language_model_adapter"),
                         source.trained, model, options.lora);
  write_card(folder.path(), model_card(source.saved, {.trained = kept,
                                                      .base = hashed(base_files(model)),
                                                      .chat = source.chat,
                                                      .form = "safetensors",
                                                      .language_model = language_model_form(
                                                          source.trained, options.lora)}));
  folder.commit();
  tell(options.output, kept);
}

void export_pth(const ExportOptions& options) {
  require_replaceable(options.output, OutputKind::file, options.force);
  if (is_published_file(options.checkpoint))
    throw UserError(fmt::format(
        "'{}' already is a file of this form; it is read as model.weights.vision_checkpoint or "
        "audio_checkpoint, and --format safetensors converts it",
        options.checkpoint.string()));
  const Exportable source = read_exportable(options);
  const models::ModelConfig& model = source.saved.config.model;
  if (const auto encoder = trained_encoder(source.trained))
    throw UserError(fmt::format(
        "'{}': {} has trained, and the Python original reads its encoders from their published "
        "files; export it as a bundle, or --format safetensors",
        options.checkpoint.string(), config::name_of(*encoder)));
  if (!model.is_of_original())
    throw UserError(fmt::format(
        "'{}': the Python original does not know the encoders or connectors of this model and "
        "could not load it; export it as a bundle, or --format safetensors",
        options.checkpoint.string()));
  if (model.has_audio() && model.audio.embedding_scale == encoders::EmbeddingScale::equal)
    log::warn(
        "the audio branch was trained with model.audio.embedding_scale 'equal', the Python "
        "original computes with 'published': there it hears something else than here");
  const NamedList kept = without_adapters(source.trained);
  if (!has_adapters(source.trained)) {
    weights::write_pth(options.output, reference_checkpoint(source.saved, kept,
                                                            moments_of(source.saved), source.chat));
    return tell(options.output, kept);
  }
  const fs::path beside = companion(options.output, options.lora);
  require_replaceable(beside, OutputKind::folder, options.force);
  NewFolder folder(beside);
  write_language_model(folder.path(), source.trained, model, options.lora);
  write_card(folder.path(), model_card(source.saved, {.trained = source.trained,
                                                      .base = hashed(base_files(model)),
                                                      .chat = source.chat,
                                                      .form = "pth",
                                                      .language_model = language_model_form(
                                                          source.trained, options.lora)}));
  weights::write_pth(options.output, reference_checkpoint(source.saved, kept,
                                                          moments_of(source.saved), source.chat));
  folder.commit();
  tell(options.output, kept);
  if (options.lora == LoraForm::merged)
    log::info("the language model to go with it is in '{}'", beside.string());
  else
    log::warn("the Python original has no adapters: --lora merged writes a language model for it");
}

void export_bundle(const ExportOptions& options, BaseWeights base) {
  require_replaceable(options.output, OutputKind::folder, options.force);
  if (is_published_file(options.checkpoint))
    throw UserError(
        fmt::format("'{}' says nothing of the base weights that it belongs to: name it in a "
                    "RUN.yaml as model.weights.vision_checkpoint or audio_checkpoint, and export "
                    "that",
                    options.checkpoint.string()));
  const Exportable source = read_exportable(options);
  NewFolder folder(options.output);
  const ExportedModel exported = write_bundle(folder.path(), options, source, base);
  write_card(folder.path(), model_card(source.saved, exported));
  folder.commit();
  tell(options.output, exported.trained);
}

}  // namespace vllama::train
