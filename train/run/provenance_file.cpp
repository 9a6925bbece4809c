#include "train/run/provenance_file.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "checkpoint/step_directory.h"
#include "core/error.h"
#include "core/json_depth.h"

namespace vllama::train {
namespace {

using Json = nlohmann::ordered_json;

const std::vector<std::pair<HashCover, std::string>> kCovers = {
    {HashCover::all, "all"}, {HashCover::pieces, "pieces"}, {HashCover::none, "none"}};

Json to_json(const InputFile& file) {
  Json json{{"what", file.what}, {"path", file.path.string()}, {"bytes", file.num_bytes}};
  for (const auto& [cover, name] : kCovers)
    if (cover == file.cover) json["hash_of"] = name;
  if (!file.hash.empty()) json["sha256"] = file.hash;
  if (file.cover != HashCover::all) json["modified"] = file.modified_seconds;
  return json;
}

Json to_json(const std::vector<InputFile>& files) {
  Json json = Json::array();
  for (const InputFile& file : files) json.push_back(to_json(file));
  return json;
}

InputFile file_of(const Json& json) {
  InputFile file{.what = json.at("what"),
                 .path = json.at("path").get<std::string>(),
                 .num_bytes = json.at("bytes").get<std::uint64_t>(),
                 .hash = json.value("sha256", ""),
                 .modified_seconds = json.value("modified", std::int64_t{0})};
  const std::string cover = json.at("hash_of");
  for (const auto& [value, name] : kCovers)
    if (name == cover) file.cover = value;
  return file;
}

std::vector<InputFile> files_of(const Json& json) {
  std::vector<InputFile> files;
  for (const Json& file : json) files.push_back(file_of(file));
  return files;
}

InputData data_of(const Json& json) {
  return {.name = json.at("name"),
          .format = json.at("format"),
          .num_entries = json.at("entries"),
          .num_invalid = json.at("invalid"),
          .files = files_of(json.at("annotations")),
          .media = files_of(json.at("media"))};
}

}  // namespace

std::string provenance_text(const Provenance& provenance) {
  Json json{{"program", provenance.program},
            {"run_folder", provenance.run_folder},
            {"weights", to_json(provenance.weights)},
            {"saved_step_modules", provenance.saved_step_modules},
            {"texts", to_json(provenance.texts)},
            {"data", Json::array()}};
  for (const InputData& data : provenance.data)
    json["data"].push_back({{"name", data.name},
                            {"format", data.format},
                            {"entries", data.num_entries},
                            {"invalid", data.num_invalid},
                            {"annotations", to_json(data.files)},
                            {"media", to_json(data.media)}});
  // Names of files need not be UTF-8.
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

Provenance read_provenance(const std::string& text) try {
  if (is_nested_too_deep(text))
    throw UserError(fmt::format("{} is damaged: it is nested too deep", kProvenanceFile));
  const Json json = Json::parse(text);
  Provenance provenance{.program = json.at("program"),
                        .run_folder = json.at("run_folder"),
                        .weights = files_of(json.at("weights")),
                        .texts = files_of(json.at("texts")),
                        .data = {},
                        .saved_step_modules = json.at("saved_step_modules")};
  for (const Json& data : json.at("data")) provenance.data.push_back(data_of(data));
  return provenance;
} catch (const Json::exception& problem) {
  throw UserError(fmt::format("{} is damaged: {}", kProvenanceFile, problem.what()));
}

std::optional<Provenance> provenance_of_step(const std::filesystem::path& step) {
  const auto text = checkpoint::read_step_text(step, kProvenanceFile);
  return text ? std::optional(read_provenance(*text)) : std::nullopt;
}

std::string recorded_folder(const std::string& text) {
  if (is_nested_too_deep(text)) return {};
  const Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  const auto folder = json.is_object() ? json.find("run_folder") : json.end();
  return folder != json.end() && folder->is_string() ? folder->get<std::string>() : std::string();
}

}  // namespace vllama::train
