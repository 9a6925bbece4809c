// Loading holds little more than what it keeps, measured by the kernel in a process of its own.
#include <ATen/ops/full.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <string>

#include "tests/support/fixtures.h"
#include "weights/load.h"
#include "weights/write.h"

extern char** environ;

using namespace vllama;
using namespace vllama::weights;
using namespace vllama::test;

namespace {

// The promise: at most this much resident memory per byte kept.
constexpr double kMaxPeakPerByte = 1.15;

#if defined(__SANITIZE_ADDRESS__)
constexpr bool kMeasuresItsOwnMemory = false;  // the sanitizer's shadow would be counted, too
#else
constexpr bool kMeasuresItsOwnMemory = true;
#endif

// A line of /proc/self/status in bytes.
double status_bytes(const std::string& key) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(key + ":")) return std::stod(line.substr(key.size() + 1)) * 1024;
  return 0;
}

// 40 tensors of 7.5 MB in half precision: 300 MB.
NamedTensors large_tensors() {
  NamedTensors tensors;
  for (int i = 0; i < 40; ++i)
    tensors.emplace("layer." + std::to_string(i), at::full({1250, 3000}, i, at::kHalf));
  return tensors;
}

// Runs the hidden test case below in a new process and returns the peak per byte kept.
double peak_per_byte(const std::filesystem::path& weights, const std::string& type) {
  const TemporaryFolder folder;
  const auto result = folder.path() / "result";
  setenv("VLLAMA_TEST_WEIGHTS", weights.c_str(), 1);
  setenv("VLLAMA_TEST_TYPE", type.c_str(), 1);
  setenv("VLLAMA_TEST_RESULT", result.c_str(), 1);
  std::string program = "/proc/self/exe", name = "measured load";
  char* arguments[] = {program.data(), name.data(), nullptr};
  pid_t child = 0;
  REQUIRE(posix_spawn(&child, program.c_str(), nullptr, nullptr, arguments, environ) == 0);
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  REQUIRE(status == 0);
  double ratio = 0;
  std::ifstream(result) >> ratio;
  std::cout << "peak memory per byte kept, " << weights.filename().string() << " as " << type
            << ": " << ratio << "\n";
  return ratio;
}

}  // namespace

TEST_CASE("measured load", "[.]") {
  const std::string weights = std::getenv("VLLAMA_TEST_WEIGHTS");
  const at::ScalarType type =
      std::getenv("VLLAMA_TEST_TYPE") == std::string("float32") ? at::kFloat : at::kHalf;
  at::full({1000}, 1.0).sum();  // libtorch's threads and tables belong to the baseline
  std::ofstream("/proc/self/clear_refs") << "5";  // resets the peak
  const double baseline = status_bytes("VmRSS");
  const auto source = open_weights(weights);
  std::vector<at::Tensor> kept(source->tensors().size());
  std::vector<ParameterSlot> slots;
  for (std::size_t i = 0; i < kept.size(); ++i)
    slots.push_back({source->tensors()[i].name, source->tensors()[i].shape, &kept[i]});
  const LoadSummary summary = load_parameters(*source, slots, {.dtype = type});
  const double after_load = status_bytes("VmHWM") - baseline;
  double sum = 0;  // brings every page of a view into memory
  for (const at::Tensor& tensor : kept)
    sum += tensor.flatten()[0].item<double>() + tensor.max().item<double>();
  const double peak = std::max(after_load, status_bytes("VmHWM") - baseline);
  CHECK(sum == 2 * 39 * 40 / 2);
  CHECK(peak > 0.9 * static_cast<double>(summary.num_bytes));  // the measurement itself works
  std::ofstream(std::getenv("VLLAMA_TEST_RESULT")) << peak / static_cast<double>(summary.num_bytes);
}

TEST_CASE("loading takes at most 1.15 times the memory it keeps") {
  if (!kMeasuresItsOwnMemory) {
    std::cout << "SKIPPED memory of loading: built with a sanitizer\n";
    return;
  }
  const TemporaryFolder folder;
  write_pth(folder.path() / "w.pth", to_map(large_tensors()));
  write_hf_folder(folder.path() / "hf", "{}", large_tensors(),
                  {ShardFormat::safetensors, 100'000'000});
  CHECK(peak_per_byte(folder.path() / "w.pth", "float32") <= kMaxPeakPerByte);
  CHECK(peak_per_byte(folder.path() / "w.pth", "float16") <= kMaxPeakPerByte);
  CHECK(peak_per_byte(folder.path() / "hf", "float32") <= kMaxPeakPerByte);
  CHECK(peak_per_byte(folder.path() / "hf", "float16") <= kMaxPeakPerByte);
}
