#include "tests/media/sounds.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <numbers>

#include "core/files.h"

namespace vllama::test {
namespace {

template <class T>
void append(std::string& bytes, T value) {
  bytes.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

}  // namespace

std::vector<float> make_sound(const std::string& kind, std::int64_t num_samples,
                              std::int64_t rate_hz) {
  constexpr double kTurn = 2 * std::numbers::pi;
  const double length = static_cast<double>(num_samples) / static_cast<double>(rate_hz);
  std::vector<float> sound(num_samples);
  std::uint32_t state = 1;
  for (std::int64_t i = 0; i < num_samples; ++i) {
    const double time = static_cast<double>(i) / static_cast<double>(rate_hz);
    if (kind == "noise") {
      state = 1664525 * state + 1013904223;
      sound[i] = static_cast<float>((state >> 16) / 32768.0 - 1);
    } else if (kind == "sweep") {
      sound[i] =
          static_cast<float>(0.01 * std::sin(kTurn * (50 * time + 3475 * time * time / length)));
    } else if (kind == "tone") {
      sound[i] = static_cast<float>(0.5 * std::sin(kTurn * 440 * time));
    } else {
      REQUIRE(kind == "silence");
    }
  }
  return sound;
}

void write_wav(const std::filesystem::path& path, std::int64_t rate_hz,
               const std::vector<std::vector<float>>& channels) {
  const auto num_channels = static_cast<std::uint32_t>(channels.size());
  const std::size_t num_samples = channels.front().size();
  const auto data_bytes = static_cast<std::uint32_t>(num_samples * num_channels * sizeof(float));
  const auto rate = static_cast<std::uint32_t>(rate_hz);
  std::string bytes = "RIFF";
  append(bytes, data_bytes + 36);
  bytes += "WAVEfmt ";
  append(bytes, std::uint32_t{16});
  append(bytes, std::uint16_t{3});  // IEEE float
  append(bytes, static_cast<std::uint16_t>(num_channels));
  append(bytes, rate);
  append(bytes, static_cast<std::uint32_t>(rate * num_channels * sizeof(float)));
  append(bytes, static_cast<std::uint16_t>(num_channels * sizeof(float)));
  append(bytes, std::uint16_t{32});
  bytes += "data";
  append(bytes, data_bytes);
  for (std::size_t i = 0; i < num_samples; ++i)
    for (const auto& channel : channels) append(bytes, channel[i]);
  write_file_atomically(path, bytes);
}

nlohmann::json read_json(const std::filesystem::path& path) {
  return nlohmann::json::parse(read_file(path));
}

double largest_difference(const float* a, const float* b, std::size_t count) {
  double largest = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const double difference = std::abs(static_cast<double>(a[i]) - b[i]);
    if (!(difference <= largest)) largest = difference;  // so that NaN is kept
  }
  return largest;
}

double largest_difference(const std::vector<float>& values, const nlohmann::json& exact) {
  double largest = 0;
  for (std::size_t i = 0; i < exact["indices"].size(); ++i) {
    const float expected = exact["values"][i];
    largest = std::max(largest, largest_difference(&values.at(exact["indices"][i]), &expected, 1));
  }
  return largest;
}

}  // namespace vllama::test
