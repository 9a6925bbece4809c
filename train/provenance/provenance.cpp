#include "train/provenance/provenance.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>

#include "core/error.h"
#include "core/sha256.h"
#include "core/version.h"
#include "datasets/formats/annotation_files.h"
#include "inference/bundle/file_hash.h"
#include "media/error.h"
#include "models/saved_step.h"
#include "train/provenance/base_files.h"

namespace vllama::train {
namespace {

namespace fs = std::filesystem;

// A data set in more files than this is known by their sizes and times.
constexpr std::size_t kMaxHashedFiles = 256;
// Entries of a data set whose media are looked at, and what is read at both ends of each.
constexpr std::int64_t kNumMedia = 8;
constexpr std::int64_t kEndBytes = std::int64_t{64} << 10;

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
  } else if (file.num_bytes > inference::kWholeBytes / num_files) {
    file.cover = HashCover::pieces;
    file.hash =
        inference::piece_hash(path, std::max<std::size_t>(2, inference::kNumPieces / num_files));
  } else {
    file.hash = inference::FileHasher("").sha256(path);
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

std::string name_of(const datasets::DatasetConfig& set) {
  return fmt::format("data set '{}'", set.name);
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

InputData annotation_files(const datasets::DatasetConfig& config,
                           const datasets::Dataset& dataset) {
  InputData input{.name = config.name,
                  .format = config.format,
                  .num_entries = dataset.size(),
                  .num_invalid = dataset.invalid().total(),
                  .files = {},
                  .media = {}};
  const auto files = datasets::annotation_files(config);
  for (const fs::path& file : files)
    input.files.push_back(input_file(name_of(config), file, files.size()));
  return input;
}

std::vector<InputFile> media_files(const datasets::DatasetConfig& config,
                                   const datasets::Dataset& dataset) {
  std::vector<InputFile> files;
  const std::int64_t num_media = std::min(kNumMedia, dataset.size());
  for (std::int64_t i = 0; i < num_media; ++i) {
    const std::int64_t index = num_media == 1 ? 0 : i * (dataset.size() - 1) / (num_media - 1);
    const datasets::Record record = dataset.record(index);
    for (std::size_t k = 0; k < std::min<std::size_t>(1, record.media.size()); ++k)
      if (const auto file =
              medium_file(fmt::format("{}, medium of entry {}", name_of(config), index),
                          record.media[k].source))
        files.push_back(*file);
  }
  return files;
}

std::vector<InputData> data_files(const datasets::DataConfig& config,
                                  const datasets::Mixture& data) {
  std::vector<InputData> sets;
  for (std::int64_t i = 0; i < data.num_datasets(); ++i) {
    const datasets::DatasetConfig& set = config.sets[static_cast<std::size_t>(i)];
    sets.push_back(annotation_files(set, data.dataset(i)));
    sets.back().media = media_files(set, data.dataset(i));
  }
  return sets;
}

Provenance provenance_of(const RunConfig& config, std::vector<InputData> data) {
  Provenance provenance{
      .program = "vllama " + program_version(),
      .run_folder =
          fs::absolute(fs::path(config.output_dir) / "").lexically_normal().parent_path().string(),
      .weights = weight_files(config.model),
      .texts = {},
      .data = std::move(data),
      .saved_step_modules = {}};
  if (const std::string& file = config.model.weights.saved_step; !file.empty())
    for (const std::string& name : config::names_of_each(models::modules_in(file)))
      provenance.saved_step_modules.insert(name);
  if (const std::string& file = config.data.captions.prompt_file; !file.empty())
    provenance.texts.push_back(input_file("data.captions.prompt_file", file));
  return provenance;
}

}  // namespace vllama::train
