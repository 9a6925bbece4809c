#include "tools/bench/audio.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>

#include "core/terminal_text.h"
#include "media/audio.h"
#include "media/resample.h"
#include "samples/audio_clips.h"
#include "samples/mel.h"

namespace vllama::tools {
namespace {

struct AudioBenchmark {
  std::filesystem::path file;
  double seconds = 1;
  bool json = false;
};

// Seconds that one call of `work` takes on this thread: the mean over `budget_seconds`, after one
// call that does not count.
double time_of(double budget_seconds, const std::function<void()>& work) {
  using Clock = std::chrono::steady_clock;
  work();
  const auto start = Clock::now();
  for (std::int64_t num_calls = 1;; ++num_calls) {
    work();
    const std::chrono::duration<double> elapsed = Clock::now() - start;
    if (elapsed.count() >= budget_seconds) return elapsed.count() / static_cast<double>(num_calls);
  }
}

void run(const AudioBenchmark& options) {
  const auto sound = media::read_audio(options.file);
  const auto resampled = media::resample(sound, samples::kMelSampleRateHz);
  const double length =
      static_cast<double>(sound.num_samples()) / static_cast<double>(sound.sample_rate_hz);
  const double decode = time_of(options.seconds, [&] { media::read_audio(options.file); });
  const double resample =
      time_of(options.seconds, [&] { media::resample(sound, samples::kMelSampleRateHz); });
  const double mel = time_of(options.seconds, [&] { samples::audio_clips(resampled); });
  const auto speed = [&](double seconds) { return length / seconds; };

  if (options.json) {
    const nlohmann::json result = {{"file", options.file.string()},
                                   {"audio_seconds", length},
                                   {"sample_rate_hz", sound.sample_rate_hz},
                                   {"channels", sound.channels.size()},
                                   {"decode_seconds", decode},
                                   {"resample_seconds", resample},
                                   {"mel_seconds", mel},
                                   {"decode_times_real_time", speed(decode)},
                                   {"front_end_times_real_time", speed(resample + mel)},
                                   {"all_times_real_time", speed(decode + resample + mel)}};
    fmt::print("{}\n", result.dump());
    return;
  }
  fmt::print("{}: {:.2f} s, {} Hz, {} channels; one core\n", visible(options.file.string()), length,
             sound.sample_rate_hz, sound.channels.size());
  fmt::print("{:<10} {:>10} {:>16}\n", "stage", "ms", "x real time");
  const auto line = [&](const char* stage, double seconds) {
    fmt::print("{:<10} {:>10.2f} {:>16.0f}\n", stage, 1000 * seconds, speed(seconds));
  };
  line("decode", decode);
  line("resample", resample);
  line("mel", mel);
  line("all", decode + resample + mel);
}

}  // namespace

void add_bench_audio(CLI::App& bench) {
  const auto options = std::make_shared<AudioBenchmark>();
  CLI::App* command =
      bench.add_subcommand("audio", "Decoding, resampling and mel clips of a file's sound.");
  command->add_option("file", options->file, "video or sound file")->required();
  command->add_option("--seconds", options->seconds, "time to spend on each stage")
      ->capture_default_str();
  command->add_flag("--json", options->json, "print one JSON object");
  command->footer("Example:\n  vllama bench audio clip.mp4 --json");
  command->callback([options] { run(*options); });
}

}  // namespace vllama::tools
