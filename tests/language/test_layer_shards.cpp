// A language model in parts: threads stand for the processes that hold it together.
#include <ATen/core/grad_mode.h>

#include <barrier>
#include <catch2/catch.hpp>
#include <thread>

#include "core/error.h"
#include "language/llama.h"
#include "models/load_video_llama.h"
#include "models/random_weights.h"
#include "nn/token_loss.h"
#include "tests/support/counted_memory.h"
#include "tests/support/fixtures.h"
#include "tests/support/tensors.h"

using namespace vllama;

namespace {

const language::LlamaConfig kSizes{.vocabulary_size = 41,
                                   .width = 24,
                                   .mlp_width = 40,
                                   .num_layers = 3,
                                   .num_heads = 4,
                                   .num_key_value_heads = 2,
                                   .head_width = 6,
                                   .max_positions = 64};
constexpr std::uint64_t kSeed = 5;

struct Meeting {
  explicit Meeting(std::int64_t num_processes)
      : buffers(static_cast<std::size_t>(num_processes)), barrier(num_processes) {}
  std::vector<at::Tensor> buffers;
  std::barrier<> barrier;
};

class ThreadExchange : public nn::PartExchange {
 public:
  ThreadExchange(Meeting& meeting, std::size_t own) : meeting_(meeting), own_(own) {}

  std::int64_t num_parts() const override { return std::ssize(meeting_.buffers); }
  std::int64_t own_part() const override { return static_cast<std::int64_t>(own_); }
  void start(at::Tensor& whole, const std::string& what) override {
    meeting_.buffers[own_] = whole;
    started.push_back(what);
  }
  void finish() override {
    meeting_.barrier.arrive_and_wait();
    at::Tensor& whole = meeting_.buffers[own_];
    const std::int64_t size = whole.numel() / num_parts();
    for (std::size_t i = 0; i < meeting_.buffers.size(); ++i)
      if (i != own_) {
        const std::int64_t begin = static_cast<std::int64_t>(i) * size;
        whole.narrow(0, begin, size).copy_(meeting_.buffers[i].narrow(0, begin, size));
      }
    meeting_.barrier.arrive_and_wait();
  }

  std::vector<std::string> started;

 private:
  Meeting& meeting_;
  std::size_t own_;
};

// What a process does with its batch.
enum class Work { adapters_train, inputs_train, nothing_trains, no_batch };

struct Outcome {
  double loss = 0;
  std::vector<at::Tensor> gradients;
};

// A decoder with random weights, whole or in parts.
class Decoder {
 public:
  Decoder(Work work, nn::PartExchange* sharers)
      : work_(work),
        model_(kSizes, work == Work::adapters_train ? std::optional(language::LoraConfig{})
                                                    : std::nullopt) {
    if (sharers != nullptr) model_.shard_layers(*sharers, at::kFloat, at::kCPU);
    nn::ParameterList weights;
    model_.declare(weights);
    nn::initialize(weights, kSeed);
    for (const nn::Parameter& parameter : weights) model_.keep_part(*parameter.tensor);
    model_.declare_lora(adapters_);
    nn::initialize(adapters_, kSeed);
    for (const nn::Parameter& parameter : adapters_)
      parameter.tensor->copy_(test::random_tensor(parameter.shape, kSeed)).requires_grad_(true);
    model_.prepare(at::kFloat, at::kCPU);
  }

  Outcome compute() {
    if (work_ == Work::no_batch) {
      model_.complete_gathers();
      return {};
    }
    const nn::Segments sequences(std::vector<std::int64_t>{7, 4});
    at::Tensor inputs_TH = test::random_tensor({11, kSizes.width}, 1);
    inputs_TH.requires_grad_(work_ == Work::inputs_train);
    const at::Tensor hidden_TH = model_.hidden(inputs_TH, sequences, /*recompute_layers=*/true);
    const at::Tensor targets_T = test::random_tensor({11}, 2).abs().mul(10).to(at::kLong);
    Outcome outcome;
    outcome.loss = nn::token_loss(model_.final_norm(hidden_TH), model_.head(), targets_T, 5,
                                  nn::Gradients::accumulate)
                       .item<double>();
    model_.complete_gathers();
    if (inputs_TH.grad().defined()) outcome.gradients.push_back(inputs_TH.grad());
    for (const nn::Parameter& parameter : adapters_)
      outcome.gradients.push_back(parameter.tensor->grad());
    return outcome;
  }

 private:
  Work work_;
  language::Llama model_;
  nn::ParameterList adapters_;
};

void check_equal(const Outcome& actual, const Outcome& expected) {
  CHECK(actual.loss == expected.loss);
  REQUIRE(actual.gradients.size() == expected.gradients.size());
  for (std::size_t i = 0; i < actual.gradients.size(); ++i)
    CHECK(test::same_bits(actual.gradients[i], expected.gradients[i]));
}

}  // namespace

TEST_CASE("layer shards: losses and gradients of the whole model, whatever the others do") {
  const std::vector<Work> works = GENERATE(
      std::vector{Work::inputs_train, Work::adapters_train},
      std::vector{Work::adapters_train, Work::no_batch, Work::inputs_train},
      std::vector{Work::nothing_trains, Work::inputs_train, Work::no_batch, Work::adapters_train});
  Meeting meeting(std::ssize(works));
  std::vector<Outcome> outcomes(2 * works.size());
  std::vector<std::vector<std::string>> started(works.size());
  std::vector<std::thread> processes;
  for (std::size_t i = 0; i < works.size(); ++i)
    processes.emplace_back([&, i] {
      ThreadExchange exchange(meeting, i);
      for (const std::size_t batch : {0, 1})
        outcomes[2 * i + batch] = Decoder(works[i], &exchange).compute();
      started[i] = exchange.started;
    });
  for (std::thread& process : processes) process.join();

  for (std::size_t i = 0; i < works.size(); ++i) {
    INFO("process " << i << " of " << works.size());
    const Outcome whole = Decoder(works[i], nullptr).compute();
    CHECK((whole.loss > 0) == (works[i] != Work::no_batch));
    for (const std::size_t batch : {0, 1}) check_equal(outcomes[2 * i + batch], whole);
    std::vector<std::string> expected;
    for (int batch = 0; batch < 2; ++batch)
      for (const char* layer : {"0", "1", "2", "1", "0"})
        expected.push_back(std::string("weights of layer ") + layer);
    CHECK(started[i] == expected);
  }
}

TEST_CASE("layer shards: layers out of order, or stored for backward, are our own mistake") {
  Meeting alone(1);
  ThreadExchange exchange(alone, 0);
  language::Llama model(kSizes);
  model.shard_layers(exchange, at::kFloat, at::kCPU);
  model.prepare(at::kFloat, at::kCPU);
  const nn::Segments sequences(std::vector<std::int64_t>{2});
  const at::Tensor inputs_TH = test::random_tensor({2, kSizes.width}, 1);
  CHECK_THROWS_AS(model.hidden(inputs_TH, sequences), InternalError);
}

namespace {

// Nobody else is there: what is gathered is not looked at.
struct AbsentOthers : nn::PartExchange {
  explicit AbsentOthers(std::int64_t number) : num(number) {}
  std::int64_t num_parts() const override { return num; }
  std::int64_t own_part() const override { return num - 1; }
  void start(at::Tensor& whole, const std::string&) override { whole.zero_(); }
  void finish() override {}
  std::int64_t num;
};

// A model that is almost only its language model's layers.
struct Files {
  Files() {
    config.vision.encoder = encoders::EvaVitConfig{
        .image_size = 28, .width = 16, .num_blocks = 1, .num_heads = 2, .mlp_width = 32};
    config.vision.resampler = {
        .num_queries = 2, .num_layers = 2, .width = 16, .num_heads = 2, .mlp_width = 16};
    config.vision.q_former = config.vision.resampler;
    config.recompute_layers = true;
    config.precision = models::Precision::bf16;
    config.weights = {.vision_encoder = folder.path() / "eva_vit_g.pth",
                      .q_former = folder.path() / "blip2_qformer.pth",
                      .language_model = folder.path() / "llama"};
    models::write_random_weights({.vision = config.vision,
                                  .language = {.width = kWidth,
                                               .mlp_width = kMlpWidth,
                                               .num_layers = kNumLayers,
                                               .num_heads = 4,
                                               .max_positions = 16}},
                                 /*vocabulary_size=*/50, kSeed, folder.path());
  }

  static constexpr std::int64_t kWidth = 128, kMlpWidth = 300, kNumLayers = 8;
  static constexpr std::int64_t kMatrixBytes = 2 * kWidth * kMlpWidth;
  static constexpr std::int64_t kLayerBytes = 2 * (4 * kWidth * kWidth + 3 * kWidth * kMlpWidth);

  test::TemporaryFolder folder;
  models::ModelConfig config;
};

}  // namespace

TEST_CASE("layer shards: a process holds its part, reads matrix by matrix, gathers two layers") {
  const Files files;
  constexpr std::int64_t kRest = 64 * 1024;  // activations of a few tokens, rotary tables, ends
  test::CountedMemory memory;
  const std::int64_t before = memory.num_bytes();
  std::int64_t whole_bytes = 0;
  {
    const auto whole = models::load_video_llama(files.config, at::kCPU, kSeed);
    whole_bytes = memory.num_bytes() - before;
  }
  for (const std::int64_t num_parts : {2, 4, 8}) {
    INFO(num_parts << " parts");
    AbsentOthers others(num_parts);
    memory.forget_peak();
    const auto model = models::load_video_llama(files.config, at::kCPU, kSeed, &others);
    const std::int64_t bytes = memory.num_bytes() - before;
    const std::int64_t saved = Files::kNumLayers * Files::kLayerBytes * (num_parts - 1) / num_parts;
    CHECK(std::abs(whole_bytes - bytes - saved) < Files::kNumLayers * 1024);
    CHECK(memory.peak_bytes() - memory.num_bytes() <= 2 * Files::kMatrixBytes + kRest);

    memory.forget_peak();
    const at::AutoGradMode no_graph(false);
    const at::Tensor inputs_TH = test::random_tensor({3, Files::kWidth}, 1).to(at::kBFloat16);
    model->language_model().hidden(inputs_TH, nn::Segments(std::vector<std::int64_t>{3}), true);
    model->complete_gathers();
    // The product's kernel may lay a matrix out anew.
    CHECK(memory.peak_bytes() - memory.num_bytes() <=
          2 * Files::kLayerBytes + Files::kMatrixBytes + kRest);
  }
}
