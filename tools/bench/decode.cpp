#include "tools/bench/decode.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <ctime>
#include <filesystem>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "media/video.h"
#include "tools/bench/plain_decode.h"

namespace vllama::tools {
namespace {

using Images = std::vector<media::Image>;

struct DecodeOptions {
  std::vector<std::filesystem::path> files;
  std::int64_t num_frames = 8, size = 224, num_repeats = 3;
  bool as_json = false;
};

double cpu_seconds() {
  std::timespec now{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

// The least CPU time of some runs: what disturbs a run only ever adds to it.
double best_seconds(std::int64_t num_repeats, const std::function<void()>& run) {
  double best = std::numeric_limits<double>::infinity();
  for (std::int64_t i = 0; i < num_repeats; ++i) {
    const double start = cpu_seconds();
    run();
    best = std::min(best, cpu_seconds() - start);
  }
  return best;
}

std::vector<std::int64_t> uniform_indices(std::int64_t clip_frames, std::int64_t count) {
  std::vector<std::int64_t> indices;
  for (std::int64_t i = 0; i < count; ++i) indices.push_back(i * clip_frames / count);
  return indices;
}

Images read_ours(const std::filesystem::path& file, const DecodeOptions& options) {
  media::VideoReader reader(file);
  const auto indices = uniform_indices(reader.facts().num_frames, options.num_frames);
  return reader.frames(indices, media::FrameSize{options.size, options.size}).images;
}

Images read_plainly(const std::filesystem::path& file, const DecodeOptions& options,
                    std::int64_t num_shown) {
  const auto indices = uniform_indices(num_shown, options.num_frames);
  std::map<std::int64_t, media::Image> found;
  const std::int64_t num_decoded =
      decode_plainly(file, indices, media::FrameSize{options.size, options.size},
                     [&](std::int64_t index, const media::Image& image) { found[index] = image; });
  if (num_decoded != num_shown)
    throw UserError(
        fmt::format("'{}': players show {} pictures, the decoder gives {}: such a clip cannot be "
                    "compared with plain decoding, leave it out",
                    file.string(), num_shown, num_decoded));
  Images images;
  for (const std::int64_t index : indices) images.push_back(found[index]);
  return images;
}

bool are_equal(const Images& a, const Images& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const media::Image& x, const media::Image& y) { return x.rgb == y.rgb; });
}

void run(const DecodeOptions& options) {
  auto clips = nlohmann::json::array();
  double total_ours = 0, total_plain = 0;
  for (const auto& file : options.files) {
    Images ours, plain;
    const double seconds =
        best_seconds(options.num_repeats, [&] { ours = read_ours(file, options); });
    const std::int64_t num_shown = media::VideoReader(file).facts().num_frames;
    const double plain_seconds =
        best_seconds(options.num_repeats, [&] { plain = read_plainly(file, options, num_shown); });
    if (!are_equal(ours, plain))
      throw RunFailure(fmt::format("'{}': pixels differ from plain decoding", file.string()));
    total_ours += seconds;
    total_plain += plain_seconds;
    clips.push_back({{"file", file.string()},
                     {"ours_cpu_seconds", seconds},
                     {"plain_cpu_seconds", plain_seconds}});
  }
  const auto num_clips = static_cast<double>(options.files.size());
  const nlohmann::json report = {{"num_frames", options.num_frames},
                                 {"size", options.size},
                                 {"ours_clips_per_cpu_second", num_clips / total_ours},
                                 {"plain_clips_per_cpu_second", num_clips / total_plain},
                                 {"pixels_equal", true},
                                 {"clips", clips}};
  if (options.as_json) {
    std::cout << report.dump(2) << "\n";
    return;
  }
  for (const auto& clip : clips)
    std::cout << fmt::format(
        "{:8.1f} ms  plain {:8.1f} ms  {}\n", clip["ours_cpu_seconds"].get<double>() * 1e3,
        clip["plain_cpu_seconds"].get<double>() * 1e3, clip["file"].get<std::string>());
  std::cout << fmt::format(
      "{:.1f} clips per second and core, {:.2f} times plain decoding, equal pixels\n",
      num_clips / total_ours, total_plain / total_ours);
}

}  // namespace

void add_bench_decode(CLI::App& bench) {
  auto options = std::make_shared<DecodeOptions>();
  CLI::App* command = bench.add_subcommand(
      "decode",
      "CPU time to read uniform frames of clips, beside that of decoding them whole; checks that "
      "both give equal pixels.\nExample: vllama bench decode clips/*.mp4 --json");
  command->add_option("files", options->files, "videos")->required()->check(CLI::ExistingFile);
  command->add_option("--frames", options->num_frames, "frames per clip")
      ->check(CLI::Range(1, 1024));
  command->add_option("--size", options->size, "width and height of the frames")
      ->check(CLI::Range(1, 4096));
  command->add_option("--repeat", options->num_repeats, "runs per clip; the fastest counts")
      ->check(CLI::Range(1, 100));
  command->add_flag("--json", options->as_json, "print one JSON object");
  command->callback([options] { run(*options); });
}

}  // namespace vllama::tools
