// Reads the index of a Hugging Face folder and gathers its shards into one table.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/log.h"
#include "core/warn_once.h"
#include "weights/folder_kind.h"
#include "weights/values/readable.h"
#include "weights/weight_table.h"

namespace vllama::weights {
namespace {

namespace fs = std::filesystem;

// A shard is a file beside its index; nothing inside a file may lead elsewhere.
void check_shard_name(const std::string& shard, const fs::path& index) {
  const bool has_separator = shard.find_first_of(std::string_view("/\\\0", 3)) != std::string::npos;
  if (shard.empty() || has_separator || shard == "." || shard == "..")
    throw UserError(fmt::format("{}: '{}' is not the name of a file in the same folder",
                                index.string(), readable(shard)));
}

// Tensor name -> shard name.
std::map<std::string, std::string> read_index(const fs::path& path) {
  constexpr std::uintmax_t kMaxIndexBytes = std::uintmax_t{64} << 20;
  if (fs::file_size(path) > kMaxIndexBytes)
    throw UserError(fmt::format("{}: too large for an index of shards", path.string()));
  const nlohmann::json index = nlohmann::json::parse(read_file(path), nullptr, false);
  const auto fail = [&](const char* what) {
    throw UserError(fmt::format("{}: not an index of shards: {}", path.string(), what));
  };
  if (!index.is_object()) fail("it is not a JSON object");
  const auto map = index.find("weight_map");
  if (map == index.end() || !map->is_object() || map->empty()) fail("it has no 'weight_map'");
  std::map<std::string, std::string> shards;
  for (const auto& [name, shard] : map->items()) {
    if (!shard.is_string()) fail("a shard name is not text");
    check_shard_name(shard.get<std::string>(), path);
    shards.emplace(name, shard.get<std::string>());
  }
  return shards;
}

WeightTable read_sharded(const fs::path& index) {
  const std::map<std::string, std::string> shard_of = read_index(index);
  std::map<std::string, WeightTable> shards;
  WeightTable table;
  for (const auto& [name, shard] : shard_of) {
    const auto [opened, is_new] = shards.try_emplace(shard);
    const fs::path path = index.parent_path() / shard;
    if (is_new) {
      if (!fs::is_regular_file(path))
        throw UserError(
            fmt::format("{}: the shard is missing; {} refers to it: download all of its shards "
                        "into this folder",
                        path.string(), index.string()));
      opened->second = read_weight_file(path);
    }
    const auto found = opened->second.find(name);
    if (found == opened->second.end())
      throw UserError(fmt::format("{}: tensor '{}' is not in this shard, as {} says", path.string(),
                                  readable(name), index.string()));
    table.emplace(name, std::move(found->second));
    opened->second.erase(found);
  }
  for (const auto& [shard, rest] : shards)
    if (!rest.empty())
      log::info("{}: {} tensors of shard {} are not in the index and are left out", index.string(),
                rest.size(), readable(shard));
  return table;
}

}  // namespace

WeightTable read_hf_folder(const fs::path& folder) {
  if (holds_hf_weights(folder) && fs::exists(folder / "adapter_config.json"))
    log::warn_once(fmt::format("{}: holds a PEFT adapter beside a model; the adapter is not read",
                               folder.string()));
  for (const char* name : {"model.safetensors", "pytorch_model.bin"}) {
    const fs::path single = folder / name, index = folder / (std::string(name) + ".index.json");
    if (fs::exists(single) && fs::exists(index))
      log::warn_once(fmt::format(
          "{}: holds {} and an index of shards; the first is read, as transformers does, and the "
          "index and its shards are not: remove what is out of date",
          folder.string(), name));
    if (fs::exists(single)) return read_weight_file(single);
    if (fs::exists(index)) return read_sharded(index);
  }
  if (const std::string foreign = foreign_folder(folder); !foreign.empty())
    throw UserError(fmt::format("{}: {}", folder.string(), foreign));
  throw UserError(
      fmt::format("{}: no weights: none of model.safetensors, model.safetensors.index.json, "
                  "pytorch_model.bin, pytorch_model.bin.index.json is there",
                  folder.string()));
}

}  // namespace vllama::weights
