// Small files that the checkpoint tests build by hand.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "weights/values/value.h"

namespace vllama::test {

// Writes bytes as they are.
void write_bytes(const std::filesystem::path& path, const std::string& bytes);

// A zip file with these members, in order.
void write_zip(const std::filesystem::path& path,
               const std::vector<std::pair<std::string, std::string>>& members);

// A PyTorch zip container around a pickle (without its opening PROTO 2) and storages.
void write_container(const std::filesystem::path& path, const std::string& pickle,
                     const std::vector<std::pair<std::string, std::string>>& storages = {});

// A safetensors file with this header and data.
void write_safetensors_bytes(const std::filesystem::path& path, const std::string& header,
                             const std::string& data);

// Little-endian bytes of a 32-bit number.
std::string u32(std::uint32_t value);
// BINUNICODE of a short text.
std::string pickled_text(const std::string& text);
// A persistent id with BINPERSID: a storage of `num_elements` (< 256) under `key`.
std::string pickled_storage(const std::string& storage_class, const std::string& key,
                            int num_elements, const std::string& view = "");
// `_rebuild_tensor_v2` of a storage with an offset, a size and strides, each a list of BININT1.
std::string pickled_tensor(const std::string& storage, int offset, const std::vector<int>& shape,
                           const std::vector<int>& strides);

// Reads every byte of every tensor in a value, so that a view outside of its file shows.
std::uint64_t touch(const weights::Value& value);

}  // namespace vllama::test
