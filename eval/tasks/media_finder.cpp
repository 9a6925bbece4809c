#include "eval/tasks/media_finder.h"

#include <fmt/format.h>

#include "core/error.h"
#include "datasets/entries/media_names.h"

namespace vllama::eval {
namespace fs = std::filesystem;
namespace {

// "v_abc, v_abc.mp4, ...": as source_of() looks for them.
std::string names_tried(const std::vector<fs::path>& names) {
  std::string tried;
  for (const fs::path& name : names) {
    tried += (tried.empty() ? "'" : ", '") + name.string() + "'";
    if (!datasets::kind_of_name(name))
      for (const std::string_view extension : datasets::all_extensions())
        tried += fmt::format(", '{}.{}'", name.string(), extension);
  }
  return tried;
}

datasets::MediaRoot open_root(const std::string& root, const datasets::IndexFolder& indexes) {
  if (root.empty()) throw UserError("media_root is missing");
  return datasets::MediaRoot::open(root, indexes);
}

}  // namespace

MediaFinder::MediaFinder(const std::string& root, const datasets::IndexFolder& indexes)
    : root_(open_root(root, indexes)) {
  if (root_.shards() != nullptr) return;
  folder_ = root;
  std::error_code error;
  if (!fs::is_directory(folder_, error))
    throw UserError("media_root '" + root + "' is not a folder");
}

std::optional<media::FileRange> MediaFinder::source_of(const fs::path& name) const {
  if (name.empty()) return std::nullopt;
  if (auto written = root_.find(name)) return written;
  return datasets::kind_of_name(name) ? std::nullopt : root_.find(name, datasets::all_extensions());
}

std::optional<samples::MediaFile> MediaFinder::find(const fs::path& name) {
  return find_any({name});
}

std::optional<samples::MediaFile> MediaFinder::find_any(const std::vector<fs::path>& names) {
  for (const fs::path& name : names) {
    const auto source = source_of(name);
    if (!source) continue;
    const fs::path file = source->file_name();
    found_.insert(file.filename().string());
    return samples::MediaFile{.source = *source,
                              .kind = datasets::kind_of_name(file).value_or(MediaKind::video)};
  }
  if (first_tried_.empty()) first_tried_ = names_tried(names);
  return std::nullopt;
}

std::int64_t MediaFinder::num_unused() const {
  if (folder_.empty()) return 0;
  std::int64_t num_unused = 0;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder_, error))
    if (entry.is_regular_file(error) && datasets::kind_of_name(entry.path()) &&
        !found_.contains(entry.path().filename().string()))
      ++num_unused;
  return num_unused;
}

}  // namespace vllama::eval
