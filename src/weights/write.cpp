// The three writers of weight files.
#include "weights/write.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/files.h"
#include "weights/pth/pickle_writer.h"
#include "weights/pth/zip_writer.h"
#include "weights/values/byte_order.h"
#include "weights/values/readable.h"

namespace vllama::weights {
namespace {

namespace fs = std::filesystem;

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}

struct SafetensorsLayout {
  std::string header;
  std::vector<std::pair<std::string, const at::Tensor*>> order;
};

// Wider types first, so that every tensor is aligned to its own type.
SafetensorsLayout safetensors_layout(const NamedTensors& tensors) {
  SafetensorsLayout layout;
  for (const auto& [name, tensor] : tensors) layout.order.emplace_back(name, &tensor);
  std::stable_sort(layout.order.begin(), layout.order.end(),
                   [](const auto& left, const auto& right) {
                     return left.second->element_size() > right.second->element_size();
                   });
  nlohmann::ordered_json header;
  header["__metadata__"] = {{"format", "pt"}};
  std::int64_t at = 0;
  for (const auto& [name, tensor] : layout.order) {
    if (!is_utf8(name) || name == "__metadata__")
      throw UserError(
          fmt::format("'{}' cannot be the name of a tensor in a safetensors file", readable(name)));
    const auto num_bytes = static_cast<std::int64_t>(tensor->nbytes());
    header[name] = {
        {"dtype", std::string(facts_of(element_type(tensor->scalar_type())).safetensors_name)},
        {"shape", tensor->sizes().vec()},
        {"data_offsets", {at, at + num_bytes}}};
    at += num_bytes;
  }
  layout.header = header.dump();
  constexpr std::size_t kHeaderAlignment = 8;
  while (layout.header.size() % kHeaderAlignment != 0) layout.header += ' ';
  return layout;
}

// `contents` gives the contiguous values of tensor i of the pickle.
void write_pickled(const fs::path& path, const PickledValue& pickled,
                   const std::function<TensorView(std::size_t)>& contents) {
  AtomicFile file(path);
  ZipWriter zip(file);
  const std::string folder = path.stem().string() + "/";
  zip.add(folder + "data.pkl", bytes_of(pickled.pickle));
  zip.add(folder + "byteorder", bytes_of("little"));
  for (std::size_t i = 0; i < pickled.tensors.size(); ++i)
    zip.add(fmt::format("{}data/{}", folder, i), contents(i).bytes);
  zip.add(folder + "version", bytes_of("3\n"));
  zip.finish();
  file.commit();
}

// Type and shape alone.
TensorView without_values(const at::Tensor& tensor) {
  return {element_type(tensor.scalar_type()),
          tensor.sizes().vec(),
          contiguous_strides(tensor.sizes()),
          {},
          nullptr};
}

void create_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error)
    throw RunFailure(
        fmt::format("cannot create the folder '{}': {}", folder.string(), error.message()));
}

std::vector<NamedTensors> split_into_shards(const NamedTensors& tensors,
                                            std::int64_t max_shard_bytes) {
  std::vector<NamedTensors> shards(1);
  std::int64_t num_bytes = 0;
  for (const auto& [name, tensor] : tensors) {
    const auto tensor_bytes = static_cast<std::int64_t>(tensor.nbytes());
    if (!shards.back().empty() && num_bytes + tensor_bytes > max_shard_bytes) {
      shards.emplace_back();
      num_bytes = 0;
    }
    shards.back().emplace(name, tensor);
    num_bytes += tensor_bytes;
  }
  return shards;
}

void require_no_weights(const fs::path& folder) {
  for (const char* name : {"model.safetensors", "model.safetensors.index.json", "pytorch_model.bin",
                           "pytorch_model.bin.index.json"})
    if (fs::exists(folder / name))
      throw UserError(fmt::format("'{}' already holds weights ({}); choose another folder",
                                  folder.string(), name));
}

}  // namespace

void write_safetensors(const fs::path& path, const NamedTensors& tensors,
                       const Replacement& replacement) {
  const SafetensorsLayout layout = safetensors_layout(tensors);
  AtomicFile file(path);
  std::string length;
  append_number<std::uint64_t>(length, layout.header.size());
  file.append(length + layout.header);
  for (const auto& [name, tensor] : layout.order)
    file.append(to_view(replacement ? replacement(name, *tensor) : *tensor).bytes);
  file.commit();
}

void write_pth(const fs::path& path, const Value& content) {
  const PickledValue pickled = write_pickle(content);
  write_pickled(path, pickled, [&](std::size_t i) {
    const TensorView& view = *pickled.tensors[i];
    return view.is_contiguous() ? view : to_view(to_tensor(view));
  });
}

void write_pth(const fs::path& path, const NamedTensors& tensors, const Replacement& replacement,
               const std::string& key) {
  Map map;
  std::vector<NamedTensors::const_iterator> order;
  for (auto entry = tensors.begin(); entry != tensors.end(); ++entry) {
    map.set(entry->first, without_values(entry->second));
    order.push_back(entry);
  }
  Value content = std::move(map);
  if (!key.empty()) {
    Map outer;
    outer.set(key, std::move(content));
    content = std::move(outer);
  }
  write_pickled(path, write_pickle(content), [&](std::size_t i) {
    const auto& [name, tensor] = *order[i];
    return to_view(replacement ? replacement(name, tensor) : tensor);
  });
}

Map to_map(const NamedTensors& tensors) {
  Map map;
  for (const auto& [name, tensor] : tensors) map.set(name, to_view(tensor));
  return map;
}

void write_hf_folder(const fs::path& folder, const std::string& config_json,
                     const NamedTensors& tensors, const HfFolderOptions& options) {
  const bool is_bin = options.format == ShardFormat::pytorch_bin;
  const std::string stem = is_bin ? "pytorch_model" : "model";
  const std::string extension = is_bin ? ".bin" : ".safetensors";
  const auto write_shard = [&](const fs::path& path, const NamedTensors& shard) {
    if (is_bin) {
      write_pth(path, shard, options.replacement);
    } else {
      write_safetensors(path, shard, options.replacement);
    }
  };
  create_folder(folder);
  require_no_weights(folder);
  write_file_atomically(folder / "config.json", config_json);
  const std::vector<NamedTensors> shards = split_into_shards(tensors, options.max_shard_bytes);
  if (shards.size() == 1) return write_shard(folder / (stem + extension), shards[0]);

  nlohmann::ordered_json index = {{"metadata", {{"total_size", 0}}},
                                  {"weight_map", nlohmann::ordered_json::object()}};
  std::int64_t total_bytes = 0;
  for (std::size_t i = 0; i < shards.size(); ++i) {
    const std::string name =
        fmt::format("{}-{:05}-of-{:05}{}", stem, i + 1, shards.size(), extension);
    write_shard(folder / name, shards[i]);
    for (const auto& [tensor_name, tensor] : shards[i]) {
      index["weight_map"][tensor_name] = name;
      total_bytes += static_cast<std::int64_t>(tensor.nbytes());
    }
  }
  index["metadata"]["total_size"] = total_bytes;
  write_file_atomically(folder / (stem + extension + ".index.json"), index.dump(2) + "\n");
}

}  // namespace vllama::weights
