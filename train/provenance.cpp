#include "train/provenance.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "checkpoint/step_directory.h"
#include "core/error.h"
#include "core/sha256.h"
#include "core/version.h"
#include "datasets/annotation_files.h"
#include "eval/bundle/file_hash.h"
#include "eval/bundle/model_in_use.h"
#include "media/error.h"
#include "train/base_files.h"

namespace vllama::train {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

// A data set in more files than this is known by their sizes and times.
constexpr std::size_t kMaxHashedFiles = 256;
// Entries of a data set whose media are looked at, and what is read at both ends of each.
constexpr std::int64_t kNumMedia = 8;
constexpr std::int64_t kEndBytes = std::int64_t{64} << 10;

const std::vector<std::pair<HashCover, std::string>> kCovers = {
    {HashCover::all, "all"}, {HashCover::pieces, "pieces"}, {HashCover::none, "none"}};

// One of `num_files` files that share what may be read.
InputFile input_file(const std::string& what, const fs::path& path, std::size_t num_files = 1) {
  struct stat facts {};
  if (::stat(path.c_str(), &facts) != 0 || !S_ISREG(facts.st_mode))
    throw UserError(fmt::format("{}: there is no file '{}'", what, path.string()));
  InputFile file{.what = what,
                 .path = fs::absolute(path).lexically_normal(),
                 .num_bytes = static_cast<std::uint64_t>(facts.st_size),
                 .modified_seconds = facts.st_mtim.tv_sec};
  if (num_files > kMaxHashedFiles) {
    file.cover = HashCover::none;
  } else if (file.num_bytes > eval::kWholeBytes / num_files) {
    file.cover = HashCover::pieces;
    file.hash = eval::piece_hash(path, std::max<std::size_t>(2, eval::kNumPieces / num_files));
  } else {
    file.hash = eval::FileHasher("").sha256(path);
  }
  return file;
}

// Nothing of a medium that cannot be opened; training counts it as a drop.
std::optional<InputFile> medium_file(const std::string& what, const media::FileRange& range) try {
  const media::OpenRange medium(range);
  InputFile file{.what = what,
                 .path = range.is_whole_file() ? fs::absolute(range.path).lexically_normal()
                                               : fs::path(range.name()),
                 .num_bytes = static_cast<std::uint64_t>(medium.size()),
                 .cover = HashCover::pieces};
  std::string ends = medium.read_first(kEndBytes);
  std::vector<std::byte> last(static_cast<std::size_t>(std::min(kEndBytes, medium.size())));
  medium.read_at(medium.size() - std::ssize(last), last);
  ends.append(reinterpret_cast<const char*>(last.data()), last.size());
  file.hash = sha256(ends);
  return file;
} catch (const media::MediaError&) {
  return std::nullopt;
}

std::vector<InputFile> media_of(const datasets::Dataset& dataset, const std::string& what) {
  std::vector<InputFile> files;
  const std::int64_t num_media = std::min(kNumMedia, dataset.size());
  for (std::int64_t i = 0; i < num_media; ++i) {
    const std::int64_t index = num_media == 1 ? 0 : i * (dataset.size() - 1) / (num_media - 1);
    const datasets::Record record = dataset.record(index);
    for (std::size_t k = 0; k < std::min<std::size_t>(1, record.media.size()); ++k)
      if (const auto file = medium_file(fmt::format("{}, medium of entry {}", what, index),
                                        record.media[k].source))
        files.push_back(*file);
  }
  return files;
}

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

std::vector<std::pair<std::string, std::string>> starting_points(
    const models::WeightFiles& weights) {
  std::vector<std::pair<std::string, std::string>> points;
  for (const auto& [key, path] : std::initializer_list<std::pair<const char*, std::string>>{
           {"projection", weights.projection},
           {"vision_checkpoint", weights.vision_checkpoint},
           {"audio_checkpoint", weights.audio_checkpoint},
           {"saved_step", weights.saved_step}})
    if (!path.empty()) points.emplace_back(key, path);
  return points;
}

std::vector<InputFile> weight_files(const models::ModelConfig& config) {
  std::vector<InputFile> files;
  for (const BaseFile& file : base_files(config))
    files.push_back(input_file("model.weights." + file.key, file.original));
  for (const auto& [key, path] : starting_points(config.weights))
    files.push_back(input_file("model.weights." + key, path));
  return files;
}

std::vector<InputData> data_files(const datasets::DataConfig& config,
                                  const datasets::Mixture& data) {
  std::vector<InputData> sets;
  for (std::int64_t i = 0; i < data.num_datasets(); ++i) {
    const datasets::DatasetConfig& set = config.sets[static_cast<std::size_t>(i)];
    const datasets::Dataset& dataset = data.dataset(i);
    const std::string what = fmt::format("data set '{}'", set.name);
    InputData& input = sets.emplace_back(InputData{.name = set.name,
                                                   .format = set.format,
                                                   .num_entries = dataset.size(),
                                                   .num_invalid = dataset.invalid().total(),
                                                   .files = {},
                                                   .media = media_of(dataset, what)});
    const auto files = datasets::annotation_files(set);
    for (const fs::path& file : files) input.files.push_back(input_file(what, file, files.size()));
  }
  return sets;
}

Provenance provenance_of(const RunConfig& config, const datasets::Mixture& data) {
  Provenance provenance{
      .program = "vllama " + program_version(),
      .run_folder =
          fs::absolute(fs::path(config.output_dir) / "").lexically_normal().parent_path().string(),
      .weights = weight_files(config.model),
      .texts = {},
      .data = data_files(config.data, data),
      .saved_step_modules = {}};
  if (const std::string& file = config.model.weights.saved_step; !file.empty())
    provenance.saved_step_modules = eval::modules_in(file);
  if (const std::string& file = config.data.captions.prompt_file; !file.empty())
    provenance.texts.push_back(input_file("data.captions.prompt_file", file));
  return provenance;
}

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

std::optional<Provenance> provenance_of_step(const fs::path& step) {
  const auto text = checkpoint::read_step_text(step, kProvenanceFile);
  return text ? std::optional(read_provenance(*text)) : std::nullopt;
}

std::string recorded_folder(const std::string& text) {
  const Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  const auto folder = json.is_object() ? json.find("run_folder") : json.end();
  return folder != json.end() && folder->is_string() ? folder->get<std::string>() : std::string();
}

}  // namespace vllama::train
