#include "train/plan/first_samples.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/error.h"
#include "core/log.h"
#include "core/terminal_text.h"
#include "datasets/examples/record_texts.h"
#include "datasets/order/mixing.h"
#include "media/error.h"
#include "text/error.h"

namespace vllama::train {
namespace {

// Where every second sample is broken, all of them fail in fewer than one run of ten thousand.
constexpr std::int64_t kMostTries = 16;

class SetTrial {
 public:
  SetTrial(const RunConfig& config, const datasets::Mixture& data, std::int64_t set)
      : config_(config),
        data_(data),
        set_(set),
        settings_(config.data.sets[static_cast<std::size_t>(set)]),
        num_tries_(std::min(kMostTries, data.dataset(set).size())) {}

  void require_one_that_works() const {
    std::string first_reason;
    for (std::int64_t i = 0; i < num_tries_; ++i) {
      const std::string reason = reason_against(index(i));
      if (reason.empty()) return;
      if (i == 0) first_reason = reason;
    }
    throw UserError(fmt::format(
        "data set {}: not one of {} samples that were tried can be used, so there is nothing to "
        "train on. The first is {}\nLook at media_root '{}' and at '{}' (below data.sets.{}); "
        "vllama check lists what is wrong with which record",
        settings_.name, num_tries_, first_reason, settings_.media_root, settings_.annotations,
        set_));
  }

  // The first of each kind.
  void tell_of_texts() const {
    bool told_of_tag = false, told_of_change = false;
    for (std::int64_t i = 0; i < num_tries_; ++i) {
      const datasets::Record record = data_.record({.dataset = set_, .index = index(i)});
      const std::string tag = datasets::media_tag_in(record);
      if (!tag.empty() && !std::exchange(told_of_tag, true))
        log::warn(
            "data set {}: the text of record {} ({}) holds '{}', which the model reads as text: "
            "media stand where the format says, not at tags that it does not know",
            settings_.name, index(i), visible(record.id), visible(tag));
      const auto change = datasets::caption_change(settings_, record);
      if (change && !std::exchange(told_of_change, true))
        log::info("data set {}: captions are cleaned up (clean_captions): \"{}\" becomes \"{}\"",
                  settings_.name, visible(change->before), visible(change->after));
    }
  }

 private:
  // Of try number i: files are often sorted, so that what is wrong may be all at the beginning.
  std::int64_t index(std::int64_t i) const { return i * data_.dataset(set_).size() / num_tries_; }

  // Empty if the sample can be built.
  std::string reason_against(std::int64_t index) const {
    const datasets::PlannedSample sample{.dataset = set_, .index = index, .seed = config_.seed};
    const datasets::Record record = data_.record(sample);
    const auto reason = [&](std::string_view name, const char* detail) {
      return fmt::format("record {} ({}): {}: {}", index, visible(record.id), name,
                         visible(detail));
    };
    try {
      samples::StageSeconds seconds;
      data_.build(record, sample, seconds);
      return {};
    } catch (const media::MediaError& error) {
      return reason(media::failure_name(error.reason), error.what());
    } catch (const text::TextError& error) {
      return reason(text::failure_name(error.reason), error.what());
    }
  }

  const RunConfig& config_;
  const datasets::Mixture& data_;
  const std::int64_t set_;
  const datasets::DatasetConfig& settings_;
  const std::int64_t num_tries_;
};

}  // namespace

void try_first_samples(const RunConfig& config, const datasets::Mixture& data, bool is_first) {
  for (std::int64_t set = 0; set < data.num_datasets(); ++set) {
    if (datasets::share_of(config.data.sets[static_cast<std::size_t>(set)]) == 0) continue;
    const SetTrial trial(config, data, set);
    trial.require_one_that_works();
    if (is_first) trial.tell_of_texts();
  }
}

}  // namespace vllama::train
