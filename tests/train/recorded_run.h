// The training runs recorded from the original: their configuration, and how ours is held to them.
#pragma once

#include <nlohmann/json.hpp>

#include "datasets/loading/mixture.h"
#include "models/load_video_llama.h"
#include "models/model_input.h"
#include "tests/support/golden_tensors.h"
#include "text/tokenizers/sentencepiece_tokenizer.h"
#include "train/loop/trainer.h"

namespace vllama::test {

// Limits for 20 steps of fp32 code that may reorder sums; the recordings' own scatter is a tenth of
// it.
inline constexpr double kStepLossTolerance = 1e-4;
inline constexpr double kNormTolerance = 1e-4;   // relative
inline constexpr double kRateTolerance = 1e-12;  // relative
inline constexpr double kWeightTolerance = 2e-5;

nlohmann::json trajectory(const std::filesystem::path& goldens, const std::string& run);

// The first run, vl_stage1_webvid; the others differ in what their tests change.
train::RunConfig recorded_run(const std::filesystem::path& goldens,
                              const std::filesystem::path& output);

// Biases of keys have no effect and a true gradient of zero; Adam turns rounding noise into steps
// there.
bool is_comparable(const std::string& name);

// How many of the tensors were compared.
int check_weights(const weights::NamedTensors& actual, const GoldenTensors& golden,
                  const std::string& prefix);

void check_step(const train::StepMetrics& actual, const nlohmann::json& expected);

// A model, its trainer and its data, one step at a time, in file order.
struct Session {
  explicit Session(const train::RunConfig& run);

  datasets::Loader loader(const datasets::SampleOrder& order, std::int64_t first_step,
                          std::int64_t end_step) const;
  datasets::SampleOrder order(datasets::SampleOrder::DatasetChoice choice = {}) const;

  train::RunConfig config;
  text::SentencePieceTokenizer tokenizer;
  datasets::Mixture data;
  std::unique_ptr<models::VideoLlama> model;
};

}  // namespace vllama::test
