#include "inference/bundle/bundle_config.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"
#include "core/files.h"

namespace vllama::inference {
namespace {

namespace fs = std::filesystem;

// Nothing in a bundle may lead out of it.
void check_path(const fs::path& bundle, const std::string& key, const std::string& path) {
  const fs::path relative = path;
  const bool leads_out =
      relative.is_absolute() || std::ranges::find(relative, fs::path("..")) != relative.end();
  if (leads_out || path.find('\0') != std::string::npos)
    throw UserError(fmt::format("{}: '{}' must be a path below the bundle's folder, not '{}'",
                                (bundle / kBundleFile).string(), key, path));
}

}  // namespace

bool is_bundle(const fs::path& path) {
  std::error_code error;
  return fs::is_regular_file(path / kBundleFile, error);
}

BundleConfig read_bundle_config(const fs::path& folder, const std::vector<std::string>& overrides) {
  const fs::path file = folder / kBundleFile;
  // Not load_file(), whose includes may name any file.
  config::Tree tree = config::load_text(read_file(file), file.string());
  for (const std::string& assignment : overrides) config::apply_override(tree, assignment);
  const auto config = config::read<BundleConfig>(tree);
  const models::WeightFiles& weights = config.model.weights;
  for (const std::string& key : models::WeightFiles::keys())
    check_path(folder, "model.weights." + key, weights.named(key));
  check_path(folder, "trained", config.trained);
  for (const BundledFile& bundled : config.files) check_path(folder, "files", bundled.file);
  for (const std::string& path : {weights.projection, weights.vision_checkpoint,
                                  weights.audio_checkpoint, weights.saved_step})
    if (!path.empty())
      throw UserError(fmt::format("{}: model.weights names '{}', but what trained is in '{}'",
                                  file.string(), path, config.trained));
  return config;
}

}  // namespace vllama::inference
