#include "datasets/entries/media_names.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <string>
#include <vector>

#include "core/error.h"

namespace vllama::datasets {
namespace {

using namespace std::string_view_literals;

constexpr std::array kVideo = {"mp4"sv,  "mkv"sv,  "webm"sv, "avi"sv,  "mov"sv,  "m4v"sv,  "mpg"sv,
                               "mpeg"sv, "ts"sv,   "flv"sv,  "wmv"sv,  "3gp"sv,  "ogv"sv,  "mxf"sv,
                               "nut"sv,  "vob"sv,  "m2ts"sv, "mts"sv,  "m2v"sv,  "rm"sv,   "rmvb"sv,
                               "dv"sv,   "3g2"sv,  "asf"sv,  "f4v"sv,  "divx"sv, "qt"sv,   "m1v"sv,
                               "mp2v"sv, "gxf"sv,  "ogm"sv,  "ismv"sv, "wtv"sv,  "h264"sv, "avc"sv,
                               "hevc"sv, "h265"sv, "ivf"sv,  "y4m"sv};
constexpr std::array kSound = {
    "flac"sv, "wav"sv, "mp3"sv, "m4a"sv, "ogg"sv, "opus"sv, "aac"sv,  "wma"sv, "aif"sv, "aiff"sv,
    "aifc"sv, "mka"sv, "wv"sv,  "tta"sv, "dts"sv, "ac3"sv,  "eac3"sv, "voc"sv, "amr"sv, "caf"sv,
    "oga"sv,  "spx"sv, "m4b"sv, "mp2"sv, "ape"sv, "mpc"sv,  "w64"sv,  "au"sv,  "weba"sv};
constexpr std::array kImage = {"jpg"sv, "jpeg"sv, "png"sv, "webp"sv,
                               "bmp"sv, "gif"sv,  "tif"sv, "tiff"sv};

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

std::span<const std::string_view> all_extensions() {
  static const std::vector<std::string_view> all = [] {
    std::vector<std::string_view> extensions;
    for (const MediaKind kind : {MediaKind::video, MediaKind::sound, MediaKind::image})
      std::ranges::copy(extensions_of(kind), std::back_inserter(extensions));
    return extensions;
  }();
  return all;
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
