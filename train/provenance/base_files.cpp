#include "train/provenance/base_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <set>

#include "core/error.h"
#include "text/tokenizers/open_tokenizer.h"
#include "weights/tensor_source.h"

namespace vllama::train {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFolder = "weights";
constexpr const char* kLanguageModel = "language_model";

bool is_weight_folder(const fs::path& path) {
  std::error_code error;
  return fs::is_directory(path, error);
}

// Of a file, or of the folder with the files of one. The key is part of the place: two files may
// have the same name.
fs::path place_of(const std::string& key, const fs::path& original) {
  const fs::path folder = fs::path(kFolder) / key;
  return is_weight_folder(original) ? folder : folder / original.filename();
}

void require_file(const std::string& key, const fs::path& file) {
  std::error_code error;
  if (!fs::is_regular_file(file, error))
    throw UserError(fmt::format(
        "model.weights.{}: there is no file '{}'{}: give another with --set "
        "model.weights.{}=PATH",
        key, file.string(),
        file.is_relative() ? " below the folder that the program was started in" : "", key));
}

// The files that the weights in a Hugging Face folder lie in.
void add_shards(const std::string& key, const fs::path& folder, std::vector<BaseFile>& files) {
  const fs::path place = place_of(key, folder);
  std::set<std::string> shards;
  const auto source = weights::open_weights(folder);
  for (const weights::TensorFacts& facts : source->tensors()) shards.insert(facts.file);
  const fs::path first = *shards.begin();
  const std::string single =
      first.extension() == ".safetensors" ? "model.safetensors" : "pytorch_model.bin";
  if (const std::string index = single + ".index.json"; first.filename() != single)
    files.push_back({key, folder / index, place / index, false});
  for (const std::string& shard : shards)
    files.push_back({key, shard, place / fs::path(shard).filename()});
}

void add_language_model(const fs::path& folder, std::vector<BaseFile>& files) {
  std::vector<fs::path> small_files{folder / "config.json", text::tokenizer_file(folder)};
  for (const fs::path& file : small_files) require_file(kLanguageModel, file);
  std::ranges::move(text::files_beside_tokenizer(folder), std::back_inserter(small_files));
  for (const fs::path& file : small_files)
    files.push_back(
        {kLanguageModel, file, fs::path(kFolder) / kLanguageModel / file.filename(), false});
  add_shards(kLanguageModel, folder, files);
}

// A file, or a folder with what its sizes are read from.
void add_encoder(const std::string& key, const fs::path& path, std::vector<BaseFile>& files) {
  if (!is_weight_folder(path)) {
    require_file(key, path);
    files.push_back({key, path, place_of(key, path)});
    return;
  }
  for (const char* name : {"config.json", "preprocessor_config.json"})
    if (std::error_code error; fs::is_regular_file(path / name, error))
      files.push_back({key, path / name, place_of(key, path) / name, false});
  add_shards(key, path, files);
}

}  // namespace

std::vector<BaseFile> base_files(const models::ModelConfig& config) {
  const models::WeightFiles& weights = config.weights;
  std::vector<BaseFile> files;
  for (const std::string& key : config.encoder_file_keys())
    if (const std::string& file = weights.named(key); !file.empty()) add_encoder(key, file, files);
  add_language_model(weights.language_model, files);
  return files;
}

models::ModelConfig with_places(models::ModelConfig config) {
  const models::WeightFiles old = config.weights;
  config.weights = {};
  for (const std::string& key : config.encoder_file_keys())
    if (const std::string& file = old.named(key); !file.empty())
      config.weights.named(key) = place_of(key, file).string();
  config.weights.language_model = (fs::path(kFolder) / kLanguageModel).string();
  return config;
}

}  // namespace vllama::train
