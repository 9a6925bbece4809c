// Opens a bundle: a folder that needs no other path.
#pragma once

#include <c10/core/Device.h>

#include <filesystem>
#include <string>
#include <vector>

#include "inference/open_model.h"

namespace vllama::inference {

struct OpenBundleOptions {
  bool verify = false;                      // SHA-256 of every file, not only samples
  std::vector<std::string> overrides = {};  // over bundle.yaml
};

// Checks the size and the samples of every file of the bundle before it reads any. Throws UserError
// that names every file that is gone or not as it was, and what to do about it.
OpenedModel open_bundle(const std::filesystem::path& folder, at::Device device,
                        const OpenBundleOptions& options = {});

}  // namespace vllama::inference
