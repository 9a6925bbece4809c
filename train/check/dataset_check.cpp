#include "train/check/dataset_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "core/error.h"
#include "core/hash.h"
#include "core/in_threads.h"
#include "datasets/examples/record_texts.h"
#include "datasets/formats/format_rules.h"
#include "datasets/formats/open_dataset.h"
#include "media/error.h"
#include "samples/media_rules.h"
#include "text/error.h"
#include "train/check/count_bar.h"
#include "train/show/token_view.h"

namespace vllama::train {
namespace {

namespace fs = std::filesystem;
using datasets::Record;

constexpr std::int64_t kFilesPerSample = 10;

// Why a medium's file cannot be used, without opening it; empty if it may.
std::string fault_of(const media::FileRange& source) {
  std::error_code problem;
  const fs::file_status status = fs::status(source.path, problem);
  if (source.is_absent() || !fs::exists(status))
    return fmt::format("'{}' does not exist", source.name());
  if (!fs::is_regular_file(status)) return fmt::format("'{}' is no file", source.name());
  if (source.num_bytes.value_or(fs::file_size(source.path, problem)) == 0)
    return fmt::format("'{}' is empty", source.name());
  return {};
}

// What became of a record.
struct Built {
  std::string media_fault, text_fault, detail;  // the reason's name where it would be dropped
  std::string id;
  std::int64_t num_tokens = 0, num_concealed_frames = 0;
  bool is_shortened = false, is_short_clip = false, is_silent = false;
};

class DatasetCheck {
 public:
  DatasetCheck(const RunConfig& config, std::size_t set, const SampleLimits& limits,
               const CheckOptions& options)
      : config_(config), set_(config.data.sets[set]), limits_(limits), options_(options) {
    findings_.name = set_.name;
    findings_.annotations = set_.annotations;
  }

  DatasetFindings run(const text::Tokenizer* tokenizer) {
    if (datasets::broken_format_rules(set_).empty()) look(tokenizer);
    findings_.dataset = dataset_;
    return std::move(findings_);
  }

 private:
  void look(const text::Tokenizer* tokenizer) {
    try {
      dataset_ = datasets::open_dataset(
          set_, datasets::IndexFolder::open(config_.data.index_folder), config_.data.compat);
    } catch (const UserError& error) {
      findings_.errors.push_back(fmt::format("data set {}: {}", set_.name, error.what()));
    }
    const std::optional<datasets::ExampleBuilder> builder = make_builder(tokenizer);
    if (dataset_ == nullptr) return;
    findings_.num_records = dataset_->size();
    findings_.invalid = dataset_->invalid();
    look_at_all_records();
    if (options_.media == MediaCheck::none || !has_root_) return;
    if (options_.media == MediaCheck::sampled) look_for_some_files();
    if (builder) build_some(*builder);
  }

  std::optional<datasets::ExampleBuilder> make_builder(const text::Tokenizer* tokenizer) {
    if (tokenizer == nullptr ||
        !samples::broken_media_rules(set_.name, set_, config_.data.media_settings(), limits_.model)
             .empty())
      return std::nullopt;
    try {
      return datasets::ExampleBuilder(set_, config_.data, limits_.model, *tokenizer);
    } catch (const UserError& error) {
      findings_.errors.push_back(error.what());
      return std::nullopt;
    }
  }

  // Ids, and the files if all are to be looked for.
  void look_at_all_records() {
    CountBar bar(set_.name + ": records", dataset_->size(), options_.progress);
    std::vector<std::pair<std::uint64_t, std::int64_t>> hashed_ids;
    for (std::int64_t i = 0; i < dataset_->size(); ++i, bar.advance()) {
      const Record record = dataset_->record(i);
      hashed_ids.emplace_back(fnv1a(record.id), i);
      look_at_texts(record, i);
      if (options_.media == MediaCheck::all && has_root_) look_for_files(record, i);
    }
    std::ranges::sort(hashed_ids);
    std::vector<std::pair<std::int64_t, std::int64_t>> repeated;  // and the first with the same id
    for (std::size_t i = 1, first = 0; i < hashed_ids.size(); ++i) {
      if (hashed_ids[i].first != hashed_ids[first].first)
        first = i;
      else
        repeated.emplace_back(hashed_ids[i].second, hashed_ids[first].second);
    }
    std::ranges::sort(repeated);
    for (const auto& [index, first] : repeated) {
      const bool is_listed = findings_.duplicates.first.size() < RecordList::kMaxListed;
      findings_.duplicates.add({index, is_listed ? dataset_->record(index).id : "",
                                fmt::format("record {} has this id, too", first)});
    }
  }

  void look_at_texts(const Record& record, std::int64_t index) {
    if (std::string tag = datasets::media_tag_in(record); !tag.empty())
      findings_.media_tags.add({index, record.id, std::move(tag)});
    if (const auto change = datasets::caption_change(set_, record))
      findings_.cleaned.add(
          {index, record.id, fmt::format("\"{}\" -> \"{}\"", change->before, change->after)});
  }

  // The first `count` records of a permutation of the set, a function of the seed; in their order.
  std::vector<std::int64_t> sample(std::int64_t count) const {
    const Permutation permutation(random_key({config_.seed, fnv1a(set_.name)}),
                                  static_cast<std::uint64_t>(dataset_->size()));
    std::vector<std::int64_t> indices;
    for (std::int64_t i = 0; i < std::min(count, dataset_->size()); ++i)
      indices.push_back(static_cast<std::int64_t>(permutation(static_cast<std::uint64_t>(i))));
    std::ranges::sort(indices);
    return indices;
  }

  void look_for_some_files() {
    const auto indices = sample(options_.num_samples * kFilesPerSample);
    CountBar bar(set_.name + ": files", static_cast<std::int64_t>(indices.size()),
                 options_.progress);
    for (const std::int64_t index : indices) {
      look_for_files(dataset_->record(index), index);
      bar.advance();
    }
  }

  void look_for_files(const Record& record, std::int64_t index) {
    ++findings_.num_looked_for;
    for (const samples::MediaFile& file : record.media) {
      const std::string fault = fault_of(file.source);
      if (fault.empty()) continue;
      findings_.missing.add(
          {index, record.id,
           file.tried.empty() ? fault : fmt::format("{}; tried were {}", fault, file.tried)});
      return;
    }
  }

  // Records whose files are missing have been counted and are left out.
  void build_some(const datasets::ExampleBuilder& builder) {
    std::vector<std::int64_t> indices = sample(options_.num_samples);
    std::erase_if(indices, [this](std::int64_t index) {
      const Record record = dataset_->record(index);
      return std::ranges::any_of(record.media,
                                 [](const auto& file) { return !fault_of(file.source).empty(); });
    });
    std::vector<Built> results(indices.size());
    try {
      build_all(builder, indices, results);
    } catch (const UserError& error) {
      findings_.errors.push_back(error.what());
      return;
    }
    for (std::size_t i = 0; i < indices.size(); ++i) count(indices[i], results[i]);
    const auto good =
        std::ranges::find_if(results, [](const Built& built) { return built.num_tokens > 0; });
    if (good != results.end())
      findings_.first_sample =
          tokens_of(builder, indices[static_cast<std::size_t>(good - results.begin())]);
  }

  std::string tokens_of(const datasets::ExampleBuilder& builder, std::int64_t index) const {
    samples::StageSeconds seconds;
    const samples::Example example =
        builder.build(dataset_->record(index), planned(index), seconds);
    std::vector<MediumLabel> media;
    for (const samples::MediaRun& run : samples::media_runs(example))
      media.push_back({example.media[run.medium].kind == MediaKind::sound ? "sound" : "frames",
                       run.num_tokens});
    return token_text(
        token_stretches(builder.tokenizer(), example.token_ids, example.labels, media), {});
  }

  datasets::PlannedSample planned(std::int64_t index) const {
    return {.index = index, .seed = config_.seed, .position = index};
  }

  // In as many threads as training would decode with. Throws what the first of them threw.
  void build_all(const datasets::ExampleBuilder& builder, std::span<const std::int64_t> indices,
                 std::span<Built> results) const {
    CountBar bar(set_.name + ": samples", static_cast<std::int64_t>(indices.size()),
                 options_.progress);
    for_each_in_threads(std::ssize(indices),
                        std::max<std::int64_t>(1, config_.data.loader.num_workers),
                        [&](std::int64_t number) {
                          const auto i = static_cast<std::size_t>(number);
                          results[i] = build(builder, indices[i]);
                          bar.advance();
                        });
  }

  Built build(const datasets::ExampleBuilder& builder, std::int64_t index) const {
    const Record record = dataset_->record(index);
    samples::StageSeconds seconds;
    Built built;
    built.id = record.id;
    try {
      const samples::Example example = builder.build(record, planned(index), seconds);
      built.num_tokens = static_cast<std::int64_t>(example.token_ids.size());
      built.num_concealed_frames = example.num_concealed_frames;
      built.is_shortened = example.text_shortened;
      built.is_short_clip = std::ranges::any_of(example.media, repeats_frames);
      built.is_silent = wants_sound_beside_frames() && lacks_sound(record, example);
    } catch (const media::MediaError& error) {
      built.media_fault = media::failure_name(error.reason);
      built.detail = error.what();
    } catch (const text::TextError& error) {
      built.text_fault = text::failure_name(error.reason);
      built.detail = error.what();
    }
    return built;
  }

  static bool repeats_frames(const samples::MediaInput& input) {
    const std::set<double> times(input.times_seconds.begin(), input.times_seconds.end());
    return times.size() < input.times_seconds.size();
  }

  bool wants_sound_beside_frames() const {
    return set_.inputs == samples::Inputs::frames_and_sound ||
           (set_.inputs == samples::Inputs::automatic && limits_.model.branches.size() > 1);
  }

  static bool lacks_sound(const Record& record, const samples::Example& example) {
    return std::ranges::count(example.media, MediaKind::sound, &samples::MediaInput::kind) <
           std::ranges::count_if(
               record.media, [](const auto& file) { return file.kind != MediaKind::image; });
  }

  void count(std::int64_t index, const Built& built) {
    ++findings_.num_samples;
    const RecordPlace place{index, built.id, built.detail};
    if (!built.media_fault.empty()) return findings_.bad_media[built.media_fault].add(place);
    if (!built.text_fault.empty()) return findings_.bad_text[built.text_fault].add(place);
    findings_.tokens_per_sample.push_back(built.num_tokens);
    findings_.num_shortened += built.is_shortened;
    findings_.num_concealed_frames += built.num_concealed_frames;
    if (limits_.max_positions > 0 && built.num_tokens > limits_.max_positions)
      findings_.too_long.add({index, built.id, fmt::format("{} tokens", built.num_tokens)});
    if (built.is_short_clip) findings_.short_clips.add(place);
    if (built.is_silent) findings_.silent.add(place);
  }

  const RunConfig& config_;
  const datasets::DatasetConfig& set_;
  const SampleLimits& limits_;
  const CheckOptions& options_;
  const bool has_root_ = datasets::broken_root_rules(set_).empty();
  std::shared_ptr<const datasets::Dataset> dataset_;
  DatasetFindings findings_;
};

}  // namespace

void RecordList::add(RecordPlace place) {
  ++count;
  if (first.size() < kMaxListed) first.push_back(std::move(place));
}

DatasetFindings check_dataset(const RunConfig& config, std::size_t set, const SampleLimits& limits,
                              const text::Tokenizer* tokenizer, const CheckOptions& options) {
  return DatasetCheck(config, set, limits, options).run(tokenizer);
}

}  // namespace vllama::train
