#include "train/export/published_file.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "core/error.h"
#include "core/files.h"
#include "core/log.h"
#include "core/version.h"
#include "models/modules.h"
#include "models/weight_names.h"
#include "train/export/model_card.h"
#include "train/export/new_output.h"
#include "train/run/find_step.h"
#include "weights/pth/file_format.h"
#include "weights/pth/pth_reader.h"
#include "weights/tensor_source.h"
#include "weights/write.h"

namespace vllama::train {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

// Plain values of a checkpoint; tensors and what has no place in JSON by their kind.
Json to_json(const weights::Value& value) {
  if (const auto* truth = value.get_if<bool>()) return *truth;
  if (const auto* number = value.get_if<std::int64_t>()) return *number;
  if (const auto* number = value.get_if<double>()) return *number;
  if (const auto* text = value.get_if<std::string>()) return *text;
  if (const auto* map = value.get_if<weights::Map>()) {
    Json object = Json::object();
    for (const auto& [key, item] : map->entries()) object[weights::key_text(key)] = to_json(item);
    return object;
  }
  const auto list_of = [](const weights::List& items) {
    Json list = Json::array();
    for (const weights::Value& item : items) list.push_back(to_json(item));
    return list;
  };
  if (const auto* list = value.get_if<weights::List>()) return list_of(*list);
  if (const auto* tuple = value.get_if<weights::Tuple>()) return list_of(tuple->items);
  return value.is_none() ? Json() : Json(std::string(value.type_name()));
}

void require_whole_branches(const fs::path& file, const std::set<models::ModuleName>& modules) {
  bool has_branch = false;
  for (const auto place : {models::ModulePlace::vision_branch, models::ModulePlace::audio_branch}) {
    const std::vector<models::ModuleName> branch = models::modules_of_branch(place);
    std::vector<std::string> missing;
    for (const models::ModuleName module : branch)
      if (!modules.contains(module)) missing.push_back(config::name_of(module));
    if (missing.size() == branch.size()) continue;
    has_branch = true;
    if (!missing.empty())
      throw UserError(
          fmt::format("'{}' holds part of a branch, but not its {}: it is no checkpoint "
                      "of Video-LLaMA",
                      file.string(), fmt::join(missing, ", ")));
  }
  if (!has_branch)
    throw UserError(
        fmt::format("'{}' holds neither a vision nor an audio branch: it is no "
                    "checkpoint of Video-LLaMA",
                    file.string()));
}

weights::NamedTensors trained_part(const fs::path& file) {
  const auto source = weights::open_weights(file);
  weights::NamedTensors tensors;
  std::set<models::ModuleName> modules;
  for (const weights::TensorFacts& facts : source->tensors()) {
    const auto module = models::module_of(facts.name);
    if (models::is_buffer_of_frozen_module(facts.name)) continue;
    if (!module) {
      log::warn("'{}': '{}' is left out: no part of a trained branch", file.string(), facts.name);
      continue;
    }
    modules.insert(*module);
    tensors[facts.name] = source->read(facts.name).to(at::kFloat);
  }
  require_whole_branches(file, modules);
  return tensors;
}

Json card_of(const fs::path& file, const weights::NamedTensors& tensors) {
  Json card{{"format", 1},
            {"program", "vllama " + program_version()},
            {"form", "safetensors"},
            {"source", {{"checkpoint", file.string()}}},
            {"trained", {{"tensors", tensors.size()}}}};
  const weights::Value content = weights::read_pth(file);
  for (const char* key : {"epoch", "config", "vllama"})
    if (const weights::Value* value = content.find(weights::Key(key))) card[key] = to_json(*value);
  return card;
}

}  // namespace

bool is_published_file(const fs::path& path) {
  std::error_code error;
  if (!fs::is_regular_file(path, error) || path.extension() == ".yaml" ||
      path.extension() == ".yml" || find_step(path))
    return false;
  const auto format = weights::file_format(MappedFile::open(path)->bytes());
  if (format == weights::FileFormat::pytorch_zip || format == weights::FileFormat::pytorch_legacy)
    return true;
  throw UserError(
      fmt::format("'{}' cannot be exported: {}; name a step's folder, a run's folder, "
                  "RUN/best, a RUN.yaml or a .pth of the Python original",
                  path.string(), weights::description_of(format)));
}

void convert_published_file(const ExportOptions& options) {
  const auto tensors = trained_part(options.checkpoint);
  const Json card = card_of(options.checkpoint, tensors);
  NewFolder folder(options.output);
  weights::write_safetensors(folder.path() / "trained.safetensors", tensors);
  write_file_atomically(folder.path() / kModelCardFile, card.dump(2) + "\n");
  write_file_atomically(
      folder.path() / "README.md",
      fmt::format("# The trained part of `{0}`\n\nWritten by vllama {1}. `trained.safetensors` has "
                  "{2} tensors under the names of that file. To use it, name it in a configuration "
                  "as `model.weights.saved_step`.\n",
                  options.checkpoint.string(), program_version(), tensors.size()));
  folder.commit();
  log::info("converted {} tensors of '{}' to '{}'", tensors.size(), options.checkpoint.string(),
            options.output.string());
}

}  // namespace vllama::train
