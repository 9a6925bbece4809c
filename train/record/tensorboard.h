// Event files that TensorBoard shows: scalars by tag and step.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "output/append_file.h"
#include "train/record/metrics.h"

namespace vllama::train {

// CRC-32C (Castagnoli), as in RFC 3720.
std::uint32_t crc32c(std::string_view bytes);

// One record of a TFRecord file: length as little-endian u64, masked crc of the length, the bytes,
// masked crc of the bytes. The mask is rotate-right by 15 plus 0xa282ead8.
std::string tfrecord(std::string_view bytes);

// The time of day in seconds since 1970.
double seconds_since_1970();

// Writes one new file events.out.tfevents.<time>.<host>.<process> into a folder. Each call that
// writes appends one whole record; a full disk is a RunFailure.
class TensorboardWriter {
 public:
  // After a resume (num_steps_done > 0) TensorBoard is told to forget later steps of older files in
  // the folder, which it does by default.
  TensorboardWriter(const std::filesystem::path& folder, std::int64_t num_steps_done,
                    std::function<double()> wall_clock = seconds_since_1970);

  using Scalars = std::vector<std::pair<std::string, double>>;
  void write(std::int64_t step, const Scalars& scalars);

  // Texts by tag, shown in the tab "Text".
  using Texts = std::vector<std::pair<std::string, std::string>>;
  void write_texts(std::int64_t step, const Texts& texts);

  // The scalars of a training step: loss, its z-score, rate, norm, whether something went wrong,
  // speed, shares of waiting and communication, the slowest rank, memory, drops.
  void write(const StepMetrics& metrics);

  const std::filesystem::path& path() const { return path_; }

 private:
  std::function<double()> wall_clock_;
  std::filesystem::path path_;
  output::AppendFile file_;
};

}  // namespace vllama::train
