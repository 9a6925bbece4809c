// Tells the formats of weight files apart by their content.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace vllama::weights {

enum class FileFormat {
  pytorch_zip,
  pytorch_legacy,
  safetensors,
  tar,
  gzip,
  git_lfs_pointer,
  html,
  gguf,
  hdf5,
  onnx,
  flax,
  pickle,
  json,
  empty,
  unknown,
};

FileFormat file_format(std::span<const std::byte> bytes);

// What such a file is and, where it cannot be read, what to do about it; part of a sentence.
std::string_view description_of(FileFormat format);

// Tensors of a file may share storages (tied weights), but not without limit: the sum of their
// sizes may be this much for a file of `file_bytes`.
std::uint64_t max_tensor_bytes(std::uint64_t file_bytes);

}  // namespace vllama::weights
