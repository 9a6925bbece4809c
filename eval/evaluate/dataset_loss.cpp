#include "eval/evaluate/dataset_loss.h"

#include <ATen/core/grad_mode.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>

#include "core/error.h"
#include "core/in_threads.h"
#include "core/log.h"
#include "datasets/loading/mixture.h"
#include "media/error.h"
#include "models/model_input.h"
#include "models/video_llama.h"
#include "samples/batch.h"
#include "text/error.h"

namespace vllama::eval {
namespace {

using json = nlohmann::json;

struct SampleLoss {
  std::int64_t index;
  std::string id;
  double loss;  // summed over the target tokens
  std::int64_t num_targets;
};

class LossOfSet {
 public:
  LossOfSet(const datasets::Mixture& data, std::int64_t dataset, const models::VideoLlama& model,
            std::int64_t image_token)
      : data_(data), dataset_(dataset), model_(model), image_token_(image_token) {}

  // Of samples `indices`; those that cannot be used are logged and left out.
  std::vector<SampleLoss> operator()(const std::vector<std::int64_t>& indices,
                                     std::int64_t num_workers) const {
    std::vector<std::optional<samples::Example>> examples(indices.size());
    for_each_in_threads(std::ssize(indices), num_workers, [&](std::int64_t i) {
      examples[static_cast<std::size_t>(i)] = build(indices[static_cast<std::size_t>(i)]);
    });
    std::vector<SampleLoss> losses;
    const c10::AutoGradMode no_graph(false);
    for (std::size_t i = 0; i < indices.size(); ++i) {
      if (!examples[i]) continue;
      // One at a time: the loss of a sample must not depend on its company.
      const samples::Batch batch = samples::pack(std::span(&*examples[i], 1), image_token_);
      if (batch.num_targets == 0) continue;
      const double loss = model_.loss(batch, 0, nn::Gradients::none).item<double>();
      losses.push_back({indices[i], examples[i]->id, loss, batch.num_targets});
    }
    return losses;
  }

 private:
  std::optional<samples::Example> build(std::int64_t index) const {
    const datasets::PlannedSample sample{.dataset = dataset_, .index = index};
    const datasets::Record record = data_.record(sample);
    samples::StageSeconds seconds;
    try {
      return data_.build(record, sample, seconds);
    } catch (const media::MediaError& error) {
      log::warn("{}: '{}' is left out: {}", data_.dataset_name(dataset_), record.id, error.what());
    } catch (const text::TextError& error) {
      log::warn("{}: '{}' is left out: {}", data_.dataset_name(dataset_), record.id, error.what());
    }
    return std::nullopt;
  }

  const datasets::Mixture& data_;
  std::int64_t dataset_;
  const models::VideoLlama& model_;
  std::int64_t image_token_;
};

std::string to_text(const std::vector<SampleLoss>& losses) {
  json rows = json::array();
  for (const SampleLoss& sample : losses)
    rows.push_back({sample.index, sample.id, sample.loss, sample.num_targets});
  return rows.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::vector<SampleLoss> from_texts(const std::vector<std::string>& texts) {
  std::vector<SampleLoss> losses;
  for (const std::string& text : texts)
    for (const json& row : json::parse(text))
      losses.push_back({row.at(0), row.at(1), row.at(2), row.at(3)});
  // Sums of doubles depend on their order, which must not be that of the ranks.
  std::ranges::sort(losses, {}, &SampleLoss::index);
  return losses;
}

std::vector<Measurement> measurements(const std::string& name,
                                      const std::vector<SampleLoss>& losses) {
  std::vector<Prediction> samples;
  for (const SampleLoss& sample : losses)
    samples.push_back({.id = fmt::format("{}: {}", sample.index, sample.id)});
  Measurement loss = empty_measurement(name + "/loss", samples);
  loss.num_statistics = 2;
  for (const SampleLoss& sample : losses) {
    loss.statistics.insert(loss.statistics.end(),
                           {sample.loss, static_cast<double>(sample.num_targets)});
    loss.per_sample.push_back(sample.loss / static_cast<double>(sample.num_targets));
  }
  loss.value = &ratio_of_sums;
  Measurement perplexity = loss;
  perplexity.name = name + "/perplexity";
  perplexity.value = [](std::span<const double> sums) { return std::exp(ratio_of_sums(sums)); };
  perplexity.per_sample.clear();
  return {loss, perplexity};
}

std::vector<std::int64_t> indices_of_rank(std::int64_t size, std::int64_t begin, std::int64_t end,
                                          const distributed::Communicator& ranks) {
  std::vector<std::int64_t> indices;
  for (std::int64_t index = begin; index < std::min(end, size); ++index)
    if (index % ranks.num_ranks() == ranks.rank()) indices.push_back(index);
  return indices;
}

}  // namespace

std::vector<Measurement> dataset_losses(datasets::DataConfig config,
                                        const models::VideoLlama& model,
                                        const text::Tokenizer& tokenizer, std::int64_t num_workers,
                                        distributed::Communicator& ranks) {
  for (datasets::DatasetConfig& set : config.sets) {
    // The same pixels every time, or two evaluations could not be compared.
    set.transform = samples::Transform::eval;
    set.sampling = samples::Sampling::uniform;
  }
  const datasets::Mixture data(config, models::model_input(model.branches()), tokenizer);
  std::vector<Measurement> all;
  for (std::int64_t dataset = 0; dataset < data.num_datasets(); ++dataset) {
    const std::string& name = data.dataset_name(dataset);
    const std::int64_t size = data.dataset(dataset).size();
    const LossOfSet loss_of(data, dataset, model, tokenizer.image_token());
    // Enough for the workers, and few enough that the pictures of all of them fit into memory.
    const std::int64_t at_once = 4 * num_workers * ranks.num_ranks();
    std::vector<SampleLoss> own;
    for (std::int64_t begin = 0; begin < size; begin += at_once) {
      ranks.enter(fmt::format("loss of {}: samples from {}", name, begin));
      const auto more = loss_of(indices_of_rank(size, begin, begin + at_once, ranks), num_workers);
      own.insert(own.end(), more.begin(), more.end());
    }
    const auto texts = ranks.gather(to_text(own), fmt::format("loss of {}", name));
    if (!ranks.is_first()) continue;
    const std::vector<SampleLoss> losses = from_texts(texts);
    const std::int64_t num_broken = size - std::ssize(losses);
    if (static_cast<double>(num_broken) > config.max_broken_share * static_cast<double>(size) ||
        losses.empty())
      throw RunFailure(
          fmt::format("loss of {}: {} of {} samples cannot be used, more than "
                      "max_broken_share",
                      name, num_broken, size));
    for (Measurement& measurement : measurements(name, losses)) {
      measurement.facts["left_out"] = std::to_string(num_broken);
      all.push_back(std::move(measurement));
    }
  }
  return all;
}

}  // namespace vllama::eval
