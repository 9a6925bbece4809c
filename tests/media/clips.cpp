#include "tests/media/clips.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <numeric>
#include <string_view>

#include "core/files.h"
#include "media/ffmpeg.h"
#include "tools/bench/plain_decode.h"

namespace vllama::test {
namespace {

bool runs(const std::string& command) {
  return std::system((command + " >/dev/null 2>&1").c_str()) == 0;
}

}  // namespace

std::optional<std::filesystem::path> make_clip(const TemporaryFolder& folder,
                                               const std::string& name,
                                               const std::string& arguments,
                                               const std::string& needed_encoder) {
  static const bool has_program = runs("ffmpeg -version");
  const bool has_encoder =
      needed_encoder.empty() || avcodec_find_encoder_by_name(needed_encoder.c_str()) != nullptr;
  if (!has_program || !has_encoder) {
    const std::string reason =
        has_program ? "no encoder " + needed_encoder : "the program ffmpeg is not installed";
    const char* required = std::getenv("VLLAMA_REQUIRE_FIXTURES");
    if (required != nullptr && std::string_view(required) == "1") FAIL(reason);
    std::cout << "SKIPPED " << name << ": " << reason << "\n";
    return std::nullopt;
  }
  const auto path = folder.path() / name;
  INFO(arguments);
  REQUIRE(runs("ffmpeg -nostdin -y " + arguments + " '" + path.string() + "'"));
  return path;
}

std::string moving_picture(const std::string& size, int frames_per_second, int num_frames) {
  return "-f lavfi -i testsrc2=size=" + size + ":rate=" + std::to_string(frames_per_second) +
         ":duration=" + std::to_string(double(num_frames) / frames_per_second) + " ";
}

std::vector<std::uint64_t> program_fingerprints(const TemporaryFolder& folder,
                                                const std::filesystem::path& clip) {
  constexpr std::size_t kSide = 56, kBytes = kSide * kSide * 3;
  const auto raw = make_clip(folder, "program.rgb",
                             "-threads 1 -i '" + clip.string() +
                                 "' -map 0:v:0 -fps_mode passthrough -vf "
                                 "scale=56:56:flags=bilinear,format=rgb24 -f rawvideo");
  REQUIRE(raw);
  const std::string pixels = read_file(*raw);
  std::vector<std::uint64_t> found;
  for (std::size_t i = 0; i + kBytes <= pixels.size(); i += kBytes)
    found.push_back(
        fingerprint({.width = kSide,
                     .height = kSide,
                     .rgb = {pixels.begin() + static_cast<std::ptrdiff_t>(i),
                             pixels.begin() + static_cast<std::ptrdiff_t>(i + kBytes)}}));
  return found;
}

Difference difference(const std::vector<std::uint8_t>& a, const std::vector<std::uint8_t>& b) {
  REQUIRE(a.size() == b.size());
  Difference result;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const int distance = std::abs(int{a[i]} - int{b[i]});
    result.max = std::max(result.max, distance);
    result.mean += distance;
  }
  result.mean /= static_cast<double>(std::max<std::size_t>(a.size(), 1));
  return result;
}

std::uint64_t fingerprint(const media::Image& image) {
  const std::string_view pixels(reinterpret_cast<const char*>(image.rgb.data()), image.rgb.size());
  return std::hash<std::string_view>()(pixels) ^ static_cast<std::uint64_t>(image.width);
}

std::vector<std::uint64_t> plain_fingerprints(const std::filesystem::path& clip,
                                              std::int64_t num_frames) {
  std::vector<std::int64_t> all(static_cast<std::size_t>(num_frames));
  std::iota(all.begin(), all.end(), 0);
  std::vector<std::uint64_t> found(all.size(), 0);
  tools::decode_plainly(clip, all, std::nullopt,
                        [&](std::int64_t index, const media::Image& image) {
                          found[static_cast<std::size_t>(index)] = fingerprint(image);
                        });
  return found;
}

}  // namespace vllama::test
