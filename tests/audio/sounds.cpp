#include "tests/audio/sounds.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>
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

std::map<std::string, GoldenTensor> read_golden_tensors(const std::filesystem::path& path) {
  const std::string bytes = read_file(path);
  std::uint64_t header_bytes = 0;
  std::memcpy(&header_bytes, bytes.data(), sizeof(header_bytes));
  const auto header = nlohmann::json::parse(bytes.substr(8, header_bytes));
  std::map<std::string, GoldenTensor> tensors;
  for (const auto& [name, facts] : header.items()) {
    if (name == "__metadata__") continue;
    REQUIRE(facts["dtype"] == "F32");
    GoldenTensor& tensor = tensors[name];
    tensor.shape = facts["shape"].get<std::vector<std::int64_t>>();
    const std::size_t begin = facts["data_offsets"][0], end = facts["data_offsets"][1];
    tensor.values.resize((end - begin) / sizeof(float));
    std::memcpy(tensor.values.data(), bytes.data() + 8 + header_bytes + begin, end - begin);
  }
  return tensors;
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
