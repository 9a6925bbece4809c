#include "datasets/media_names.h"

#include <algorithm>
#include <array>
#include <string>

#include "core/error.h"

namespace vllama::datasets {
namespace {

using namespace std::string_view_literals;

constexpr std::array kVideo = {"mp4"sv,  "mkv"sv, "webm"sv, "avi"sv, "mov"sv, "m4v"sv, "mpg"sv,
                               "mpeg"sv, "ts"sv,  "flv"sv,  "wmv"sv, "3gp"sv, "ogv"sv, "mxf"sv,
                               "nut"sv,  "vob"sv, "m2ts"sv, "mts"sv, "m2v"sv, "rm"sv,  "rmvb"sv,
                               "dv"sv,   "3g2"sv, "h264"sv, "hevc"sv};
constexpr std::array kImage = {"jpg"sv, "jpeg"sv, "png"sv, "webp"sv,
                               "bmp"sv, "gif"sv,  "tif"sv, "tiff"sv};
constexpr std::array kSound = {"flac"sv, "wav"sv, "mp3"sv, "m4a"sv,  "ogg"sv, "opus"sv,
                               "aac"sv,  "wma"sv, "aif"sv, "aiff"sv, "mka"sv, "wv"sv,
                               "tta"sv,  "dts"sv, "ac3"sv, "voc"sv,  "amr"sv, "caf"sv};

constexpr std::array kKinds = {MediaKind::video, MediaKind::image, MediaKind::sound};

}  // namespace

std::span<const std::string_view> extensions_of(MediaKind kind) {
  switch (kind) {
    case MediaKind::video:
      return kVideo;
    case MediaKind::image:
      return kImage;
    case MediaKind::sound:
      return kSound;
  }
  throw InternalError("an unknown MediaKind");
}

std::optional<MediaKind> kind_of_name(const std::filesystem::path& name) {
  std::string extension = name.extension().string();
  if (extension.empty()) return std::nullopt;
  extension.erase(0, 1);
  for (char& byte : extension)
    if (byte >= 'A' && byte <= 'Z') byte = static_cast<char>(byte - 'A' + 'a');
  for (const MediaKind kind : kKinds) {
    const auto extensions = extensions_of(kind);
    if (std::ranges::find(extensions, extension) != extensions.end()) return kind;
  }
  return std::nullopt;
}

}  // namespace vllama::datasets
