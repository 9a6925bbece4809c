// Brings every single-file weight format into one table.
#include "weights/weight_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/error.h"
#include "core/log.h"
#include "weights/folder_kind.h"
#include "weights/pth/file_format.h"
#include "weights/pth/pth_reader.h"
#include "weights/safetensors_reader.h"
#include "weights/values/readable.h"

namespace vllama::weights {
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

// What programs put in front of the names of a model that they wrap.
constexpr std::array<std::string_view, 3> kWrappers{"module.", "_orig_mod.", "base_model.model."};

// The wrappers in front of all names, one behind the other.
std::string common_wrappers(const WeightTable& table) {
  std::string prefix;
  const auto goes_on = [&](std::string_view wrapper) {
    return std::ranges::all_of(table, [&](const auto& entry) {
      return std::string_view(entry.first)
          .substr(std::min(prefix.size(), entry.first.size()))
          .starts_with(wrapper);
    });
  };
  if (table.empty()) return prefix;
  for (;;) {
    const auto wrapper = std::ranges::find_if(kWrappers, goes_on);
    if (wrapper == kWrappers.end()) return prefix;
    prefix += *wrapper;
  }
}

WeightTable without_wrappers(WeightTable table, const std::filesystem::path& path) {
  const std::string prefix = common_wrappers(table);
  if (prefix.empty()) return table;
  log::info("{}: every name begins with '{}', which is left out", path.string(), prefix);
  WeightTable result;
  for (auto& [name, entry] : table) result.emplace(name.substr(prefix.size()), std::move(entry));
  return result;
}

}  // namespace

WeightTable read_weight_table(const std::filesystem::path& path) {
  std::error_code ignored;
  const bool is_folder = std::filesystem::is_directory(path, ignored);
  // Of a folder in fewer bits the tensors could be listed, but not computed with.
  if (const std::string foreign = is_folder ? foreign_folder(path) : ""; !foreign.empty())
    throw UserError(fmt::format("{}: {}", path.string(), foreign));
  return without_wrappers(is_folder ? read_hf_folder(path) : read_weight_file(path), path);
}

WeightTable read_weight_file(const std::filesystem::path& path) {
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

}  // namespace vllama::weights
