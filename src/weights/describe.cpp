// Collects tensors and values of every format and prints them as a table or as JSON.
#include "weights/describe.h"

#include <ATen/ops/dot.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/json_depth.h"
#include "weights/pth/file_format.h"
#include "weights/pth/pth_reader.h"
#include "weights/safetensors_reader.h"
#include "weights/values/readable.h"
#include "weights/values/tensors.h"
#include "weights/weight_table.h"

namespace vllama::weights {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

struct TensorRow {
  std::string name, type, shape;
  std::vector<std::int64_t> extents;
  double norm;
  std::string file;
  std::int64_t num_elements, num_bytes;
};

struct Description {
  std::string path, format;
  std::vector<TensorRow> rows;
  json values = json::object();
};

double squared_norm(const at::Tensor& tensor) {
  const at::Tensor flat = tensor.to(at::kDouble).view({-1});
  return at::dot(flat, flat).item<double>();
}

// In double precision; the file's pages are released behind each piece.
double frobenius_norm(const TensorView& view, const MappedFile& file) {
  if (!view.is_contiguous()) return std::sqrt(squared_norm(to_tensor(view)));
  constexpr std::int64_t kPieceBytes = std::int64_t{8} << 20;
  double sum = 0;
  for (const TensorView& piece : contiguous_pieces(view, kPieceBytes)) {
    sum += squared_norm(to_tensor(piece));
    file.release_pages(static_cast<std::size_t>(piece.bytes.data() - file.bytes().data()),
                       piece.bytes.size());
  }
  return std::sqrt(sum);
}

void add_row(Description& description, const std::string& name, const TensorView& view,
             const MappedFile& file) {
  description.rows.push_back({name, std::string(facts_of(view.type).name), shape_text(view.shape),
                              view.shape, frobenius_norm(view, file),
                              file.path().filename().string(), view.num_elements(),
                              view.num_bytes()});
}

// Adds every tensor below `value` as a row named by its path, and returns what is left as JSON
// (discarded when nothing is left).
json collect(Description& description, const Value& value, const std::string& path,
             const MappedFile& file);

json collect_items(Description& description, const List& items, const std::string& path,
                   const MappedFile& file) {
  json result = json::array();
  for (std::size_t i = 0; i < items.size(); ++i) {
    json item = collect(description, items[i], fmt::format("{}.{}", path, i), file);
    if (!item.is_discarded()) result.push_back(std::move(item));
  }
  return result.empty() && !items.empty() ? json(json::value_t::discarded) : result;
}

json collect_entries(Description& description, const Map& map, const std::string& path,
                     const MappedFile& file) {
  json result = json::object();
  for (const auto& [key, value] : map.entries()) {
    const std::string name = key_text(key);
    json item = collect(description, value, path.empty() ? name : path + "." + name, file);
    if (!item.is_discarded()) result[name] = std::move(item);
  }
  return result.empty() && map.size() > 0 ? json(json::value_t::discarded) : result;
}

json collect(Description& description, const Value& value, const std::string& path,
             const MappedFile& file) {
  if (const auto* view = value.get_if<TensorView>()) {
    add_row(description, path, *view, file);
    return json(json::value_t::discarded);
  }
  if (const auto* map = value.get_if<Map>()) return collect_entries(description, *map, path, file);
  if (const auto* list = value.get_if<List>()) return collect_items(description, *list, path, file);
  if (const auto* tuple = value.get_if<Tuple>())
    return collect_items(description, tuple->items, path, file);
  if (const auto* flag = value.get_if<bool>()) return *flag;
  if (const auto* integer = value.get_if<std::int64_t>()) return *integer;
  if (const auto* real = value.get_if<double>()) return *real;
  if (const auto* text = value.get_if<std::string>()) return *text;
  if (const auto* opaque = value.get_if<Opaque>()) return opaque->text;
  return nullptr;
}

json parsed_or_text(const std::string& text) {
  if (is_nested_too_deep(text)) return text;
  json parsed = json::parse(text, nullptr, false);
  return parsed.is_discarded() ? json(text) : parsed;
}

void add_safetensors(Description& description, const std::shared_ptr<const MappedFile>& file,
                     const std::string& prefix) {
  const SafetensorsFile content = read_safetensors(file);
  for (const auto& [name, view] : content.tensors) add_row(description, prefix + name, view, *file);
  if (!content.metadata.empty()) description.values[prefix + "__metadata__"] = content.metadata;
}

void describe_file(Description& description, const fs::path& path) {
  const auto file = MappedFile::open(path);
  switch (const FileFormat format = file_format(file->bytes())) {
    case FileFormat::pytorch_zip:
    case FileFormat::pytorch_legacy: {
      description.format = "pytorch";
      json values = collect(description, read_pth(file), "", *file);
      if (!values.is_discarded()) description.values = std::move(values);
      return;
    }
    case FileFormat::safetensors:
      description.format = "safetensors";
      return add_safetensors(description, file, "");
    default:
      throw UserError(
          fmt::format("{}: cannot describe it: {}", path.string(), description_of(format)));
  }
}

void describe_step(Description& description, const fs::path& step) {
  description.format = "step";
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(step)) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  for (const fs::path& path : files) {
    if (path.extension() == ".safetensors") {
      add_safetensors(description, MappedFile::open(path), path.stem().string() + ": ");
    } else if (path.extension() == ".json") {
      description.values[path.filename().string()] = parsed_or_text(read_file(path));
    }
  }
}

void describe_folder(Description& description, const fs::path& folder) {
  if (fs::exists(folder / "manifest.json")) return describe_step(description, folder);
  description.format = "huggingface";
  for (const auto& [name, entry] : read_hf_folder(folder))
    add_row(description, name, entry.view, *entry.file);
  if (const fs::path config = folder / "config.json"; fs::exists(config))
    description.values["config.json"] = parsed_or_text(read_file(config));
}

std::string dumped(const json& value, int indent = -1) {
  return value.dump(indent, ' ', false, json::error_handler_t::replace);
}

std::string as_json(const Description& description) {
  json rows = json::array();
  std::int64_t num_elements = 0, num_bytes = 0;
  for (const TensorRow& row : description.rows) {
    rows.push_back({{"name", row.name},
                    {"dtype", row.type},
                    {"shape", row.extents},
                    {"norm", row.norm},
                    {"file", row.file}});
    num_elements += row.num_elements;
    num_bytes += row.num_bytes;
  }
  return dumped({{"path", description.path},
                 {"format", description.format},
                 {"tensors", rows},
                 {"values", description.values},
                 {"totals",
                  {{"tensors", description.rows.size()},
                   {"elements", num_elements},
                   {"bytes", num_bytes}}}},
                2) +
         "\n";
}

void append_values(std::string& text, const json& value, const std::string& path) {
  if (value.is_object() && !value.empty()) {
    for (const auto& [key, item] : value.items())
      append_values(text, item, path.empty() ? key : path + "." + key);
  } else {
    text += fmt::format("{} = {}\n", readable(path), dumped(value));
  }
}

std::string as_text(const Description& description) {
  std::size_t name_width = 4, shape_width = 5;
  std::int64_t num_elements = 0, num_bytes = 0;
  for (const TensorRow& row : description.rows) {
    name_width = std::max(name_width, readable(row.name).size());
    shape_width = std::max(shape_width, row.shape.size());
    num_elements += row.num_elements;
    num_bytes += row.num_bytes;
  }
  std::string text =
      fmt::format("{} ({})\n\n{:<{}}  {:<8}  {:<{}}  {}\n", description.path, description.format,
                  "name", name_width, "type", "shape", shape_width, "norm");
  for (const TensorRow& row : description.rows)
    text += fmt::format("{:<{}}  {:<8}  {:<{}}  {:.6g}\n", readable(row.name), name_width, row.type,
                        row.shape, shape_width, row.norm);
  text += fmt::format("\n{} tensors, {} elements, {} bytes\n", description.rows.size(),
                      num_elements, num_bytes);
  if (!description.values.empty()) {
    text += "\n";
    append_values(text, description.values, "");
  }
  return text;
}

}  // namespace

std::string describe(const fs::path& path, DescriptionFormat format) {
  Description description;
  description.path = path.string();
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) {
    describe_folder(description, path);
  } else {
    describe_file(description, path);
  }
  return format == DescriptionFormat::json ? as_json(description) : as_text(description);
}

}  // namespace vllama::weights
