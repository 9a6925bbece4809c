#include "train/run/run_facts.h"

#include <fmt/format.h>

#include <filesystem>

#include "core/files.h"
#include "train/run/config_change.h"
#include "weights/values/checksum.h"

namespace vllama::train {
namespace {

namespace fs = std::filesystem;

std::string program_checksum() {
  const auto program = MappedFile::open(fs::canonical("/proc/self/exe"));
  return fmt::format("build {:08x}", weights::crc32(program->bytes()));
}

// Of a file, or of the files in a folder.
std::string size_text(const fs::path& path) {
  std::error_code error;
  std::uintmax_t num_bytes = 0;
  if (fs::is_regular_file(path, error)) num_bytes = fs::file_size(path, error);
  for (fs::directory_iterator entry(path, error), end; !error && entry != end;
       entry.increment(error))
    if (entry->is_regular_file(error)) num_bytes += entry->file_size(error);
  return fmt::format("{} bytes", num_bytes);
}

}  // namespace

std::map<std::string, std::string> run_facts(const RunConfig& config) {
  auto facts = config_values(config);
  const models::WeightFiles& weights = config.model.weights;
  for (const std::string& key : models::WeightFiles::keys())
    if (const std::string& path = weights.named(key); !path.empty()) facts[path] = size_text(path);
  facts["program"] = program_checksum();
  return facts;
}

std::map<std::string, std::string> data_facts(const datasets::Mixture& data) {
  std::map<std::string, std::string> facts;
  for (std::int64_t i = 0; i < data.num_datasets(); ++i)
    facts["data set " + data.dataset_name(i)] = fmt::format("{} records", data.dataset(i).size());
  return facts;
}

}  // namespace vllama::train
