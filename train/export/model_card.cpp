#include "train/export/model_card.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>

#include "core/version.h"
#include "inference/bundle/file_hash.h"
#include "models/modules.h"
#include "train/run/config_json.h"

namespace vllama::train {
namespace {

using Json = nlohmann::ordered_json;

Json training_facts(const SavedCheckpoint& saved) {
  if (!saved.progress) return nullptr;
  const TrainingConfig& training = saved.config.training;
  return {{"steps", saved.progress->num_steps_done}, {"steps_planned", training.num_steps()},
          {"batch_size", training.batch_size},       {"samples", saved.progress->num_samples},
          {"dropped", saved.progress->num_dropped},  {"metrics", saved.metrics}};
}

Json data_facts_of(const RunConfig& config) {
  Json sets = Json::array();
  for (const datasets::DatasetConfig& set : config.data.sets)
    sets.push_back({{"name", set.name},
                    {"format", set.format},
                    {"annotations", set.annotations},
                    {"media_root", set.media_root},
                    {"weight", set.weight},
                    {"num_samples", set.num_samples},
                    {"num_frames", set.num_frames}});
  return sets;
}

Json base_facts(const std::vector<HashedFile>& files) {
  Json list = Json::array();
  for (const auto& [file, num_bytes, sha256] : files)
    list.push_back({{"key", file.key},
                    {"file", file.original.string()},
                    {"bytes", num_bytes},
                    {"sha256", sha256}});
  return list;
}

// What this run trained, and what the file holds besides: parts that began with an earlier run's
// weights, or with none.
Json trained_facts(const SavedCheckpoint& saved,
                   const std::vector<std::pair<std::string, at::Tensor>>& held) {
  std::vector<models::ModuleName> modules, others;
  if (saved.progress)
    for (const models::TrainedModule& trained : models::trained_modules(saved.config.model))
      modules.push_back(trained.module);
  std::int64_t num_elements = 0;
  for (const auto& [name, tensor] : held) {
    num_elements += tensor.numel();
    const auto module = models::module_of(name);
    const auto is_listed = [&](const auto& list) {
      return std::ranges::find(list, *module) != list.end();
    };
    if (module && !is_listed(modules) && !is_listed(others)) others.push_back(*module);
  }
  return {{"tensors", held.size()},
          {"elements", num_elements},
          {"modules", config::names_of_each(modules)},
          {"other_modules", config::names_of_each(others)}};
}

std::string text_of_trained(const Json& trained) {
  const auto names = [&trained](const char* key) {
    return fmt::format("{}", fmt::join(trained.at(key).get<std::vector<std::string>>(), ", "));
  };
  const std::string modules = names("modules"), others = names("other_modules");
  return fmt::format("Trained in this run: {}.{} ({} tensors, {} numbers in all.)\n",
                     modules.empty() ? "nothing" : modules,
                     others.empty() ? "" : " Held as they were before it: " + others + ".",
                     trained.at("tensors").get<std::size_t>(),
                     trained.at("elements").get<std::int64_t>());
}

std::string table_of_base(const Json& files) {
  std::string text = "| part | file | bytes | SHA-256 |\n|---|---|---|---|\n";
  for (const Json& file : files)
    text += fmt::format("| {} | `{}` | {} | `{}` |\n", file.at("key").get<std::string>(),
                        file.at("file").get<std::string>(), file.at("bytes").get<std::uint64_t>(),
                        file.at("sha256").get<std::string>());
  return text;
}

std::string list_of_data(const Json& sets) {
  std::string text;
  for (const Json& set : sets)
    text += fmt::format("- {} ({}), from `{}`, weight {}\n", set.at("name").get<std::string>(),
                        set.at("format").get<std::string>(),
                        set.at("annotations").get<std::string>(), set.at("weight").get<double>());
  return text.empty() ? "Not known.\n" : text;
}

std::string text_of_training(const Json& training) {
  if (training.is_null()) return "Not known: the weights are those that a configuration names.\n";
  std::string text = fmt::format(
      "{} of {} optimizer steps, {} samples ({} of them broken and dropped).\n",
      training.at("steps").get<std::int64_t>(), training.at("steps_planned").get<std::int64_t>(),
      training.at("samples").get<std::int64_t>(), training.at("dropped").get<std::int64_t>());
  for (const auto& [name, value] : training.at("metrics").items())
    text += fmt::format("- {}: {:.6g}\n", name, value.get<double>());
  return text;
}

std::string how_to_use(const Json& card) {
  if (card.at("form") == "bundle")
    return "    vllama chat THIS_FOLDER --video clip.mp4 --prompt \"What happens?\"\n\n"
           "The folder needs no other path. Base weights that are links must stay where they are, "
           "and as they are.\n";
  const std::string language_model = card.at("language_model");
  if (card.at("form") == "pth")
    return language_model == "merged"
               ? "The language model that goes with the .pth file beside this folder: name the "
                 "folder as the original's `llama_model`.\n"
               : "The adapters of the language model that the .pth file beside this folder was "
                 "trained with, under the names of peft. The original has no adapters.\n";
  std::string text =
      "`trained.safetensors` holds what training changed, under the names of a Video-LLaMA "
      "checkpoint. To use it, name it in a configuration as `model.weights.saved_step`, beside the "
      "base weights below.\n";
  if (language_model == "adapters")
    text +=
        "\n`language_model_adapter` holds the adapters of the language model once more, under the "
        "names of peft.\n";
  if (language_model == "merged")
    text +=
        "\n`language_model` is the language model with its adapters merged in; "
        "`trained.safetensors` has none: name the folder as `model.weights.language_model`.\n";
  return text;
}

}  // namespace

std::vector<HashedFile> hashed(const std::vector<BaseFile>& files) {
  const inference::FileHasher hasher;
  std::vector<HashedFile> result;
  for (const BaseFile& file : files)
    result.push_back(
        {file, std::filesystem::file_size(file.original), hasher.sha256(file.original)});
  return result;
}

std::string language_model_form(const std::vector<std::pair<std::string, at::Tensor>>& trained,
                                LoraForm lora) {
  for (const auto& [name, tensor] : trained) {
    const auto module = models::module_of(name);
    if (module == models::ModuleName::lora) return lora == LoraForm::merged ? "merged" : "adapters";
    if (module == models::ModuleName::language_model) return "trained";
  }
  return "base";
}

Json model_card(const SavedCheckpoint& saved, const ExportedModel& exported) {
  return {{"format", 1},
          {"program", "vllama " + program_version()},
          {"form", exported.form},
          {"source", {{"checkpoint", saved.path.string()}}},
          {"training", training_facts(saved)},
          {"data", data_facts_of(saved.config)},
          {"chat", config_json(exported.chat)},
          {"language_model", exported.language_model},
          {"base_weights", base_facts(exported.base)},
          {"trained", trained_facts(saved, exported.trained)},
          {"config", config_json(saved.config)}};
}

std::string readme(const Json& card) {
  const Json& chat = card.at("chat");
  return fmt::format(
      "# Video-LLaMA, trained from `{}`\n\n"
      "Written by {}. `model_card.json` has all of this, and the whole configuration, for "
      "programs.\n\n"
      "## Use\n\n{}\n"
      "Prompts: the {} template of the family {}.\n\n"
      "## Training\n\n{}\n"
      "{}\n"
      "## Data\n\n{}\n"
      "## Base weights\n\n{}",
      card.at("source").at("checkpoint").get<std::string>(), card.at("program").get<std::string>(),
      how_to_use(card), chat.at("template").get<std::string>(),
      chat.at("family").get<std::string>(), text_of_training(card.at("training")),
      text_of_trained(card.at("trained")), list_of_data(card.at("data")),
      table_of_base(card.at("base_weights")));
}

}  // namespace vllama::train
