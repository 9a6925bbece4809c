// Writes weight files: .safetensors, .pth, and Hugging Face folders. Every file appears whole or
// not at all; a full disk is a RunFailure naming the path, and the file that was there before
// stays.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "weights/values/tensors.h"
#include "weights/values/value.h"

namespace vllama::weights {

// Gives a tensor of the same shape and type that is written in place of `tensor`, which may be one
// without values (on the meta device); asked for one tensor at a time, in the order of the file.
using Replacement = std::function<at::Tensor(const std::string& name, const at::Tensor& tensor)>;

// Tensors on any device, in any layout; they are brought to the CPU one at a time.
void write_safetensors(const std::filesystem::path& path, const NamedTensors& tensors,
                       const Replacement& replacement = nullptr);

// The zip container of torch.save, protocol 2, with nothing in it that
// torch.load(weights_only=True) refuses. Throws UserError for a value that a checkpoint cannot hold
// (Opaque, or more than 64 levels).
void write_pth(const std::filesystem::path& path, const Value& content);

// The tensors as a dictionary in the order of their names; with `key` that dictionary below it. No
// more than one tensor that `replacement` gave is in memory.
void write_pth(const std::filesystem::path& path, const NamedTensors& tensors,
               const Replacement& replacement, const std::string& key = "");

// The tensors as a dictionary in the order of their names.
Map to_map(const NamedTensors& tensors);

enum class ShardFormat { pytorch_bin, safetensors };

struct HfFolderOptions {
  ShardFormat format = ShardFormat::safetensors;
  // A shard takes tensors, in the order of their names, until it would grow beyond this. One shard
  // alone is written in the single-file form, without an index.
  std::int64_t max_shard_bytes = 10'000'000'000;
  Replacement replacement = nullptr;
};

// Writes `config.json` (the given text) and the weights into `folder`, which is created if absent.
// Throws UserError if it already holds weights.
void write_hf_folder(const std::filesystem::path& folder, const std::string& config_json,
                     const NamedTensors& tensors, const HfFolderOptions& options = {});

}  // namespace vllama::weights
