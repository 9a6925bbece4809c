// A small language model's folder with random weights, in any of the published forms.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "language/llama.h"
#include "weights/write.h"

namespace vllama::test {

struct LanguageFolder {
  nlohmann::json config;          // of config.json
  weights::NamedTensors tensors;  // fp32

  // Random weights of two layers, 50 rows and 64 features, untied.
  LanguageFolder();

  // Fills `folder`, which holds no weights yet; small shards make several.
  void write(const std::filesystem::path& folder,
             weights::ShardFormat format = weights::ShardFormat::safetensors,
             std::int64_t max_shard_bytes = std::int64_t{1} << 40) const;
};

// What the model in the folder, read in fp32, says of twelve tokens: [12, 50].
at::Tensor logits_of(const std::filesystem::path& folder);

}  // namespace vllama::test
