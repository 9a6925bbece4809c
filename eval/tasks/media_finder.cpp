#include "eval/tasks/media_finder.h"

#include <algorithm>
#include <array>

#include "core/error.h"

namespace vllama::eval {
namespace fs = std::filesystem;
namespace {

using namespace std::string_view_literals;
using datasets::MediaKind;

constexpr std::array kVideoExtensions = {"mp4"sv, "webm"sv, "avi"sv, "mov"sv, "mkv"sv};
constexpr std::array kImageExtensions = {"jpg"sv, "jpeg"sv, "png"sv, "webp"sv, "bmp"sv, "gif"sv};
constexpr std::array kSoundExtensions = {"flac"sv, "wav"sv, "mp3"sv, "m4a"sv, "ogg"sv, "opus"sv};
constexpr std::array kUsualExtensions = {"mp4"sv,  "webm"sv, "avi"sv,  "mov"sv, "mkv"sv,
                                         "flac"sv, "wav"sv,  "mp3"sv,  "m4a"sv, "ogg"sv,
                                         "opus"sv, "jpg"sv,  "jpeg"sv, "png"sv};

std::string extension_of(const fs::path& name) {
  std::string extension = name.extension().string();
  if (!extension.empty()) extension.erase(0, 1);
  for (char& letter : extension)
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
  return extension;
}

bool is_one_of(const auto& extensions, const std::string& extension) {
  return std::find(extensions.begin(), extensions.end(), extension) != extensions.end();
}

bool is_medium(const fs::path& name) {
  const std::string extension = extension_of(name);
  return is_one_of(kVideoExtensions, extension) || is_one_of(kImageExtensions, extension) ||
         is_one_of(kSoundExtensions, extension);
}

datasets::MediaRoot open_root(const std::string& root, const datasets::IndexFolder& indexes) {
  if (root.empty()) throw UserError("media_root is missing");
  return datasets::MediaRoot::open(root, indexes);
}

}  // namespace

MediaKind media_kind(const fs::path& name) {
  const std::string extension = extension_of(name);
  if (is_one_of(kImageExtensions, extension)) return MediaKind::image;
  return is_one_of(kSoundExtensions, extension) ? MediaKind::sound : MediaKind::video;
}

MediaFinder::MediaFinder(const std::string& root, const datasets::IndexFolder& indexes)
    : root_(open_root(root, indexes)) {
  if (root_.shards() != nullptr) return;
  folder_ = root;
  std::error_code error;
  if (!fs::is_directory(folder_, error))
    throw UserError("media_root '" + root + "' is not a folder");
}

std::optional<media::FileRange> MediaFinder::exactly(const fs::path& name) const {
  if (!name.has_extension()) return std::nullopt;
  const std::string extension = name.extension().string().substr(1);
  fs::path stem = name;
  return root_.find(stem.replace_extension(), std::array{std::string_view(extension)});
}

std::optional<datasets::MediaFile> MediaFinder::find(const fs::path& name) {
  if (name.empty()) return std::nullopt;
  auto source = exactly(name);
  if (!source) source = root_.find(name, kUsualExtensions);
  if (!source) return std::nullopt;
  const fs::path file = source->file_name();
  found_.insert(file.filename().string());
  return datasets::MediaFile{.source = *source, .kind = media_kind(file)};
}

std::optional<datasets::MediaFile> MediaFinder::find_any(const std::vector<fs::path>& names) {
  for (const fs::path& name : names)
    if (auto found = find(name)) return found;
  return std::nullopt;
}

std::int64_t MediaFinder::num_unused() const {
  if (folder_.empty()) return 0;
  std::int64_t num_unused = 0;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder_, error))
    if (entry.is_regular_file(error) && is_medium(entry.path()) &&
        !found_.contains(entry.path().filename().string()))
      ++num_unused;
  return num_unused;
}

}  // namespace vllama::eval
