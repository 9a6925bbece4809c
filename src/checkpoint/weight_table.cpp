// Brings every single-file weight format into one table.
#include "checkpoint/weight_table.h"

#include <fmt/format.h>

#include "checkpoint/file_format.h"
#include "checkpoint/pth_reader.h"
#include "checkpoint/readable.h"
#include "checkpoint/safetensors_reader.h"
#include "core/error.h"

namespace vllama::checkpoint {
namespace {

std::string keys_text(const Map& map) {
  constexpr std::size_t kMaxKeys = 10;
  std::string text;
  for (std::size_t i = 0; i < std::min(map.size(), kMaxKeys); ++i)
    text += fmt::format("{}'{}'", i == 0 ? "" : ", ", readable(key_text(map.entries()[i].first)));
  return map.size() > kMaxKeys ? text + ", ..." : text;
}

WeightTable pth_table(const std::shared_ptr<const MappedFile>& file) {
  const std::string name = file->path().string();
  const Value content = read_pth(file);
  const Value* model = content.find("model");
  const Map* weights = (model != nullptr ? *model : content).get_if<Map>();
  if (weights == nullptr) weights = content.get_if<Map>();
  if (weights == nullptr)
    throw UserError(
        fmt::format("{}: holds a {}, not a dictionary of tensors", name, content.type_name()));
  WeightTable table;
  for (const auto& [key, value] : weights->entries()) {
    const TensorView* view = value.get_if<TensorView>();
    const std::string* text = std::get_if<std::string>(&key);
    if (view != nullptr && text != nullptr) table.emplace(*text, WeightEntry{*view, file});
  }
  if (table.empty())
    throw UserError(fmt::format("{}: no tensors in its dictionary, whose keys are {}", name,
                                keys_text(*weights)));
  return table;
}

WeightTable safetensors_table(const std::shared_ptr<const MappedFile>& file) {
  WeightTable table;
  for (auto& [name, view] : read_safetensors(file).tensors)
    table.emplace(name, WeightEntry{view, file});
  return table;
}

}  // namespace

WeightTable read_weight_table(const std::filesystem::path& path) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) return read_hf_folder(path);
  const std::shared_ptr<const MappedFile> file = MappedFile::open(path);
  switch (const FileFormat format = file_format(file->bytes())) {
    case FileFormat::pytorch_zip:
    case FileFormat::pytorch_legacy:
      return pth_table(file);
    case FileFormat::safetensors:
      return safetensors_table(file);
    default:
      throw UserError(
          fmt::format("{}: cannot read weights: {}", path.string(), description_of(format)));
  }
}

}  // namespace vllama::checkpoint
