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

// The key is part of the place: two files may have the same name.
std::string place_of(const std::string& key, const std::string& original) {
  return original.empty() ? std::string()
                          : (fs::path(kFolder) / key / fs::path(original).filename()).string();
}

fs::path language_model_place() {
  return fs::path(kFolder) / kLanguageModel;
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

void add_language_model(const fs::path& folder, std::vector<BaseFile>& files) {
  std::vector<fs::path> small_files{folder / "config.json", text::tokenizer_file(folder)};
  for (const fs::path& file : small_files) require_file(kLanguageModel, file);
  std::ranges::move(text::files_beside_tokenizer(folder), std::back_inserter(small_files));
  for (const fs::path& file : small_files) {
    files.push_back({kLanguageModel, file, language_model_place() / file.filename(), false});
  }
  std::set<std::string> shards;
  const auto source = weights::open_weights(folder);
  for (const weights::TensorFacts& facts : source->tensors()) shards.insert(facts.file);
  const fs::path first = *shards.begin();
  const std::string single =
      first.extension() == ".safetensors" ? "model.safetensors" : "pytorch_model.bin";
  if (const std::string index = single + ".index.json"; first.filename() != single)
    files.push_back({kLanguageModel, folder / index, language_model_place() / index, false});
  for (const std::string& shard : shards)
    files.push_back({kLanguageModel, shard, language_model_place() / fs::path(shard).filename()});
}

}  // namespace

std::vector<BaseFile> base_files(const models::ModelConfig& config) {
  const models::WeightFiles& weights = config.weights;
  std::vector<BaseFile> files;
  const auto add = [&files](const char* key, const std::string& file) {
    require_file(key, file);
    files.push_back({key, file, place_of(key, file)});
  };
  if (config.has_vision()) {
    add("vision_encoder", weights.vision_encoder);
    add("q_former", weights.q_former);
  }
  if (config.has_audio()) add("image_bind", weights.image_bind);
  add_language_model(weights.language_model, files);
  return files;
}

models::ModelConfig with_places(models::ModelConfig config) {
  const models::WeightFiles old = config.weights;
  config.weights = {};
  if (config.has_vision()) {
    config.weights.vision_encoder = place_of("vision_encoder", old.vision_encoder);
    config.weights.q_former = place_of("q_former", old.q_former);
  }
  if (config.has_audio()) config.weights.image_bind = place_of("image_bind", old.image_bind);
  config.weights.language_model = language_model_place().string();
  return config;
}

}  // namespace vllama::train
