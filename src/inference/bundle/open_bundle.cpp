#include "inference/bundle/open_bundle.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "core/error.h"
#include "inference/bundle/bundle_config.h"
#include "inference/bundle/file_hash.h"
#include "inference/bundle/model_in_use.h"

namespace vllama::inference {
namespace {

namespace fs = std::filesystem;

// "weights/x.pth" or "weights/x.pth (a link to /base/x.pth)".
std::string described(const fs::path& folder, const std::string& file) {
  std::error_code error;
  const fs::path target = fs::read_symlink(folder / file, error);
  return error ? file : fmt::format("{} (a link to '{}')", file, target.string());
}

// Empty if the file is as it was.
std::string change_of(const fs::path& folder, const BundledFile& expected, bool verify) {
  const fs::path path = folder / expected.file;
  std::error_code error;
  if (!fs::is_regular_file(path, error)) return "is gone";
  const auto num_bytes = fs::file_size(path, error);
  if (error) return error.message();
  if (num_bytes != static_cast<std::uintmax_t>(expected.num_bytes))
    return fmt::format("has {} bytes instead of {}", num_bytes, expected.num_bytes);
  if (sample_hash(path) != expected.sample) return "has other content of the same size";
  if (verify && FileHasher().sha256(path) != expected.sha256)
    return fmt::format("does not have the SHA-256 {}", expected.sha256);
  return {};
}

void check_files(const fs::path& folder, const BundleConfig& config, bool verify) {
  std::vector<std::string> changes;
  for (const BundledFile& file : config.files)
    if (const std::string change = change_of(folder, file, verify); !change.empty())
      changes.push_back(fmt::format("{} {}", described(folder, file.file), change));
  if (changes.empty()) return;
  throw UserError(fmt::format(
      "the bundle '{}' is not as it was made: the trained part belongs to the weights it was "
      "trained with\n  {}\nput these files back, or export the checkpoint again (--base copy makes "
      "a bundle that depends on no other file)",
      folder.string(), fmt::join(changes, "\n  ")));
}

std::string recorded_hash(const BundleConfig& config, const std::string& name) {
  const auto found = std::ranges::find(config.files, name, &BundledFile::file);
  return found == config.files.end() ? std::string() : found->sha256;
}

// The same configuration with paths that lead there from anywhere.
models::ModelConfig in_folder(models::ModelConfig model, const fs::path& folder) {
  models::WeightFiles& weights = model.weights;
  for (const std::string& key : models::WeightFiles::keys())
    if (std::string& path = weights.named(key); !path.empty()) path = (folder / path).string();
  return model;
}

}  // namespace

OpenedModel open_bundle(const fs::path& folder, at::Device device,
                        const OpenBundleOptions& options) {
  const BundleConfig config = read_bundle_config(folder, options.overrides);
  check_files(folder, config, options.verify);
  OpenedModel opened = load_model_in_use(
      {.model = in_folder(config.model, folder), .trained = (folder / config.trained).string()},
      device);
  opened.chat = config.chat;
  opened.media = config.media;
  opened.origin = {.path = folder.string(),
                   .checkpoint = config.source.checkpoint,
                   .step = config.source.step,
                   .sha256 = recorded_hash(config, config.trained)};
  return opened;
}

}  // namespace vllama::inference
