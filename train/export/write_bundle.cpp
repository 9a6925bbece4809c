#include "train/export/write_bundle.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>

#include "core/error.h"
#include "core/files.h"
#include "core/log.h"
#include "core/version.h"
#include "inference/bundle/bundle_config.h"
#include "inference/bundle/file_hash.h"
#include "models/load_video_llama.h"
#include "models/modules.h"
#include "train/export/language_model.h"
#include "train/saved/chat_settings.h"
#include "train/saved/open_saved.h"
#include "weights/write.h"

namespace vllama::train {
namespace {

namespace fs = std::filesystem;
using NamedList = std::vector<std::pair<std::string, at::Tensor>>;

bool is_of_adapter(const std::pair<std::string, at::Tensor>& entry) {
  return is_of_language_adapter(entry.first);
}

void require_fitting(const models::ModelConfig& model) {
  const auto problems = models::check_weights(model);
  if (!problems.empty()) throw UserError(fmt::format("{}", fmt::join(problems, "\n")));
}

// A file that goes when the bundle takes its place cannot be part of it.
void require_outside(const std::vector<BaseFile>& files, const fs::path& output) {
  std::error_code error;
  const fs::path replaced = fs::weakly_canonical(output, error);
  for (const BaseFile& file : files) {
    const fs::path original = fs::canonical(file.original, error);
    const auto [end, rest] = std::ranges::mismatch(replaced, original);
    if (end == replaced.end())
      throw UserError(
          fmt::format("'{}' lies in '{}', which the bundle would replace: choose "
                      "another folder",
                      file.original.string(), output.string()));
  }
}

void require_room(const std::vector<BaseFile>& files, const fs::path& folder) {
  std::uintmax_t needed = 0;
  for (const BaseFile& file : files) needed += fs::file_size(file.original);
  std::error_code error;
  const auto room = fs::space(folder, error);
  if (!error && room.available < needed)
    throw UserError(
        fmt::format("copies of the base weights need {:.1f} GB, '{}' has room for {:.1f} GB: use "
                    "--base link or "
                    "another disk",
                    static_cast<double>(needed) / 1e9, folder.parent_path().string(),
                    static_cast<double>(room.available) / 1e9));
}

// In pieces, so that the memory does not grow with the file.
void copy_in_pieces(const fs::path& from, const fs::path& to) {
  constexpr std::size_t kPieceBytes = std::size_t{16} << 20;
  const auto source = MappedFile::open(from);
  const auto bytes = source->bytes();
  if (bytes.size() > kPieceBytes)
    log::info("copying '{}' ({:.1f} GB)", from.string(), static_cast<double>(bytes.size()) / 1e9);
  AtomicFile file(to);
  for (std::size_t at = 0; at < bytes.size(); at += kPieceBytes) {
    file.append(bytes.subspan(at, std::min(kPieceBytes, bytes.size() - at)));
    source->release_pages(at, kPieceBytes);
  }
  file.commit();
}

void make_folders(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error)
    throw RunFailure(
        fmt::format("cannot create the folder '{}': {}", folder.string(), error.message()));
}

void place(const BaseFile& file, const fs::path& folder, BaseWeights base) {
  const fs::path place = folder / file.place;
  make_folders(place.parent_path());
  if (base == BaseWeights::copy || !file.holds_weights) return copy_in_pieces(file.original, place);
  std::error_code error;
  fs::create_symlink(fs::canonical(file.original), place, error);
  if (error)
    throw RunFailure(
        fmt::format("cannot link '{}': {}; use --base copy", place.string(), error.message()));
}

// A file of the bundle as it is now.
inference::BundledFile bundled(const fs::path& folder, const fs::path& place,
                               const fs::path& original, const std::string& sha256) {
  return {.file = place.string(),
          .original = original.string(),
          .num_bytes = static_cast<std::int64_t>(fs::file_size(folder / place)),
          .sample = inference::sample_hash(folder / place),
          .sha256 = sha256};
}

// The files of a merged language model, which is the bundle's own.
std::vector<inference::BundledFile> merged_files(const fs::path& folder, const fs::path& place) {
  std::vector<inference::BundledFile> files;
  for (const auto& entry : fs::directory_iterator(folder / place))
    files.push_back(bundled(folder, place / entry.path().filename(), {},
                            inference::FileHasher("").sha256(entry.path())));
  std::ranges::sort(files, {}, &inference::BundledFile::file);
  return files;
}

}  // namespace

ExportedModel write_bundle(const fs::path& folder, const ExportOptions& options,
                           const Exportable& source, BaseWeights base) {
  models::ModelConfig model = source.saved.config.model;
  models::ModelConfig base_only = model;
  base_only.weights.projection = base_only.weights.vision_checkpoint =
      base_only.weights.audio_checkpoint = base_only.weights.saved_step = "";
  std::vector<BaseFile> files = base_files(base_only);
  require_outside(files, options.output);
  require_fitting(base_only);
  const bool is_merged =
      options.lora == LoraForm::merged && std::ranges::any_of(source.trained, is_of_adapter);
  ExportedModel exported{.trained = source.trained,
                         .base = {},
                         .chat = source.chat,
                         .form = "bundle",
                         .language_model = language_model_form(source.trained, options.lora)};
  exported.base = hashed(files);

  inference::BundleConfig config{
      .model = with_places(model),
      .chat = source.chat,
      .media = media_settings(source.saved.config),
      .files = {},
      .source = {.checkpoint = source.saved.path.string(),
                 .step = source.saved.progress ? source.saved.progress->num_steps_done : 0,
                 .program = "vllama " + program_version()}};
  if (is_merged) {
    const fs::path place = config.model.weights.language_model;
    make_folders((folder / place).parent_path());
    write_merged(folder / place, exported.trained, model);
    std::erase_if(exported.trained, is_of_adapter);
    std::erase_if(config.model.trainable,
                  [](const auto& entry) { return entry.module == models::ModuleName::lora; });
    config.files = merged_files(folder, place);
  }
  const auto is_replaced = [&](const BaseFile& file) {
    return is_merged && file.key == "language_model";
  };
  std::erase_if(files, is_replaced);
  if (base == BaseWeights::copy) require_room(files, folder);
  for (const BaseFile& file : files) place(file, folder, base);
  for (const auto& [file, num_bytes, sha256] : exported.base)
    if (!is_replaced(file))
      config.files.push_back(bundled(folder, file.place, fs::canonical(file.original), sha256));

  const NamedList& trained = exported.trained;
  weights::write_safetensors(folder / config.trained,
                             weights::NamedTensors(trained.begin(), trained.end()));
  config.files.push_back(bundled(folder, config.trained, {},
                                 inference::FileHasher("").sha256(folder / config.trained)));
  write_file_atomically(folder / inference::kBundleFile, config::dump(config));
  return exported;
}

}  // namespace vllama::train
