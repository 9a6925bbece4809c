#include "toy_world/language/language.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/where.h>
#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <map>

#include "core/error.h"
#include "core/log.h"
#include "models/base_files.h"
#include "text/tokenizers/sentencepiece_tokenizer.h"
#include "text/tokenizers/train_tokenizer.h"
#include "toy_world/language/language_start.h"
#include "toy_world/language/language_text.h"
#include "toy_world/senses/training.h"

namespace vllama::toy {
namespace {

constexpr std::size_t kBatchSize = 32;
constexpr std::int64_t kMostPieces = 640;
constexpr std::size_t kNumTokenizerTexts = 2000;
constexpr double kPeakRate = 1.5e-3;
constexpr float kBlur = 0.4F;
constexpr std::int64_t kWarmupSteps = 50, kStepsPerLine = 50;

// First parts of keys behind the seed.
constexpr auto kTexts = static_cast<std::uint64_t>(RandomPurpose::toy_world) << 32,
               kTokenizerTexts = kTexts + 1;

// A stretch of training with one diet. It ends early once the words that decide answers are as
// often the likeliest ones as `goal` says, for every type of question and number of shapes.
struct Phase {
  std::int64_t max_steps;
  TextMixture mixture;
  double goal;
  double last_rate;  // at max_steps, as a share of the peak rate; linear from 1
};

constexpr double kNoGoal = 2;

const std::vector<Phase>& phases() {
  using Types = std::vector<std::string_view>;
  static const Types kDrilled{"colour", "colour",  "colour",  "colour", "kind",
                              "kind",   "present", "present", "bound",  "bound"};
  static const std::vector<Phase> kPhases{
      {3000, {1, kDrilled, 0, 0}, 0.94, 0.4},
      {2000, {0.2, kDrilled, 0, 0.4}, 0.95, 0.5},
      {1000, {0.1, kDrilled, 0.2, 0.5}, kNoGoal, 0.05},
  };
  return kPhases;
}

// Documents end to end.
struct Batch {
  std::vector<std::int64_t> ids, lengths;
  std::vector<float> blur;  // of each token: deviation of what is added, relative to a word
  std::vector<std::int64_t> rows, targets;  // rows that predict something, and what
  std::vector<float> weights;               // of these rows
  struct Exam {
    Decision decision;
    std::size_t row;  // among `rows`
  };
  std::vector<Exam> decisions;
};

void append(Batch& batch, const Document& document) {
  const auto start = static_cast<std::int64_t>(batch.ids.size());
  batch.ids.insert(batch.ids.end(), document.ids.begin(), document.ids.end());
  batch.lengths.push_back(static_cast<std::int64_t>(document.ids.size()));
  batch.blur.resize(batch.ids.size());
  if (document.is_blurred)
    for (const std::size_t place : document.described)
      batch.blur[static_cast<std::size_t>(start) + place] = kBlur;
  std::map<std::size_t, std::size_t> row_of;
  for (std::size_t i = 1; i < document.ids.size(); ++i) {
    if (document.weights[i] == 0) continue;
    row_of[i] = batch.rows.size();
    batch.rows.push_back(start + static_cast<std::int64_t>(i) - 1);
    batch.targets.push_back(document.ids[i]);
    batch.weights.push_back(document.weights[i]);
  }
  for (const Decision& decision : document.decisions)
    batch.decisions.push_back({decision, row_of.at(decision.token)});
}

// How often the deciding word was the likeliest, by type and number of shapes.
class RunningAccuracy {
 public:
  void add(const Decision& decision, bool is_right) {
    auto& [right, total] =
        counts_[decision.type][std::min<std::size_t>(decision.num_shapes, 3) - 1];
    right += is_right;
    ++total;
  }

  // The smallest share of right words, where there were enough to tell.
  double least() const {
    constexpr int kEnough = 10;
    double found = 1;
    for (const auto& [type, by_shapes] : counts_)
      for (const Count& count : by_shapes)
        if (count.second >= kEnough) found = std::min(found, share(count));
    return found;
  }

  std::string text() const {
    std::string text;
    for (const auto& [type, by_shapes] : counts_) {
      text += " " + type;
      for (std::size_t i = 0; i < by_shapes.size(); ++i) {
        text += i == 0 ? ' ' : '/';
        text += by_shapes[i].second == 0 ? "-" : fmt::format("{:.0f}", 100 * share(by_shapes[i]));
      }
    }
    return text;
  }

  void reset() { counts_.clear(); }

 private:
  using Count = std::pair<int, int>;  // right, all

  static double share(const Count& count) {
    return count.second == 0 ? 0 : static_cast<double>(count.first) / count.second;
  }

  std::map<std::string, std::array<Count, 3>> counts_;
};

at::Tensor column(const std::vector<std::int64_t>& numbers) {
  return at::tensor(numbers, at::kLong);
}

class Trainer {
 public:
  Trainer(const LanguageTraining& training, const text::Tokenizer& tokenizer)
      : training_(training),
        tokenizer_(tokenizer),
        config_(models::language_config(training.sizes, tokenizer.size())),
        model_(config_),
        random_(at::make_generator<at::CPUGeneratorImpl>(training.seed)) {
    model_.declare(parameters_);
    nn::initialize(parameters_, training.seed);
    start_looking_back(parameters_, config_, training.seed);
    flat_.emplace(trained());
    model_.prepare(at::kFloat, at::kCPU);
  }

  void run() {
    for (const Phase& phase : phases()) run(phase);
  }

  void write(const std::filesystem::path& folder) {
    const at::AutoGradMode no_graph(false);
    models::write_language_model(model_, config_, folder, at::kHalf);
  }

 private:
  // Words are as large as what the layers add to them, and learn at the rate of rows of length 1.
  std::vector<optim::TrainedParameter> trained() const {
    std::vector<optim::TrainedParameter> list;
    for (const nn::Parameter& parameter : parameters_) {
      const bool is_words = parameter.name == "model.embed_tokens.weight";
      list.push_back({parameter.name, *parameter.tensor, !is_words && parameter.shape.size() > 1,
                      is_words ? std::sqrt(static_cast<double>(config_.width)) : 1});
    }
    return list;
  }

  void run(const Phase& phase) {
    optim::AdamW optimizer(*flat_, {.beta1 = 0.9, .beta2 = 0.98, .weight_decay = 0.01});
    const auto num_steps = static_cast<std::int64_t>(
        std::lround(training_.length * static_cast<double>(phase.max_steps)));
    const auto start = std::chrono::steady_clock::now();
    bool is_done = false;
    for (std::int64_t step = 0; step < num_steps && !is_done; ++step, ++num_steps_done_) {
      const double loss = backward(draw_batch(phase.mixture));
      update(*flat_, optimizer, rate(phase, step, num_steps),
             fmt::format("language model, step {}", num_steps_done_ + 1));
      mean_loss_ += (loss - mean_loss_) / static_cast<double>(step % kStepsPerLine + 1);
      if ((step + 1) % kStepsPerLine != 0) continue;
      const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
      log::info(
          "language model, step {}/{}: loss {:.4f}, {:.3f} s/step; right, by number of shapes:{}",
          step + 1, num_steps, mean_loss_, seconds.count() / static_cast<double>(step + 1),
          accuracy_.text());
      is_done = accuracy_.least() >= phase.goal;
      accuracy_.reset();
    }
  }

  static double rate(const Phase& phase, std::int64_t step, std::int64_t num_steps) {
    const double share = static_cast<double>(step) / static_cast<double>(num_steps);
    const double fall = 1 + (phase.last_rate - 1) * share;
    return kPeakRate * fall *
           std::min(1.0, static_cast<double>(step + 1) / static_cast<double>(kWarmupSteps));
  }

  Batch draw_batch(const TextMixture& mixture) const {
    Batch batch;
    for (std::uint64_t i = 0; i < kBatchSize; ++i)
      append(batch, make_document(tokenizer_, mixture,
                                  random_key({training_.seed, kTexts,
                                              static_cast<std::uint64_t>(num_steps_done_), i})));
    return batch;
  }

  double backward(const Batch& batch) {
    flat_->zero_gradients();
    const nn::Segments sequences(batch.lengths);
    const at::Tensor hidden_TH = model_.hidden(blurred_words(batch), sequences);
    const at::Tensor logits_MV =
        model_.logits(model_.final_norm(hidden_TH.index_select(0, column(batch.rows))));
    const at::Tensor weights_M = at::tensor(batch.weights, at::kFloat);
    const at::Tensor losses_M =
        at::cross_entropy_loss(logits_MV, column(batch.targets), {}, at::Reduction::None);
    const at::Tensor loss = (losses_M * weights_M).sum() / weights_M.sum();
    loss.backward();
    note(batch, logits_MV.detach().argmax(-1));
    return loss.item<double>();
  }

  // Some descriptions are not quite words, and lack a part of the constant in entry 0: what a
  // branch will put there.
  at::Tensor blurred_words(const Batch& batch) {
    const at::Tensor words_TH = model_.embed(column(batch.ids));
    const at::Tensor blur_T1 = at::tensor(batch.blur, at::kFloat).unsqueeze(1);
    at::Tensor factors_TH = at::ones_like(words_TH);
    const auto num_tokens = words_TH.size(0);
    factors_TH.select(1, 0).copy_(
        at::where(blur_T1.squeeze(1) > 0, at::rand({num_tokens}, random_), 1.0));
    return words_TH * factors_TH + at::randn(words_TH.sizes(), random_) * blur_T1;
  }

  void note(const Batch& batch, const at::Tensor& likeliest_M) {
    const std::int64_t* likeliest = likeliest_M.const_data_ptr<std::int64_t>();
    for (const Batch::Exam& exam : batch.decisions)
      accuracy_.add(exam.decision, likeliest[exam.row] == batch.targets[exam.row]);
  }

  LanguageTraining training_;
  const text::Tokenizer& tokenizer_;
  language::LlamaConfig config_;
  language::Llama model_;
  nn::ParameterList parameters_;
  std::optional<optim::FlatParameters> flat_;
  at::Generator random_;  // of the blur
  RunningAccuracy accuracy_;
  double mean_loss_ = 0;
  std::int64_t num_steps_done_ = 0;
};

}  // namespace

void train_language_model(const LanguageTraining& training, const std::filesystem::path& folder) {
  const auto model_folder = folder / models::kLanguageModelFolder;
  if (std::filesystem::exists(model_folder / "config.json"))
    throw UserError(
        fmt::format("'{}' holds a language model already; remove it, or name another folder",
                    model_folder.string()));
  std::filesystem::create_directories(model_folder);
  const auto file = model_folder / "tokenizer.model";
  text::train_tokenizer(
      sample_texts(random_key({training.seed, kTokenizerTexts}), kNumTokenizerTexts), kMostPieces,
      file);
  const text::SentencePieceTokenizer tokenizer(file);
  Trainer trainer(training, tokenizer);
  trainer.run();
  trainer.write(folder);
}

}  // namespace vllama::toy
