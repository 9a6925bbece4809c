// Looks through one data set of a run as training would, before training does.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "datasets/entries/record.h"
#include "datasets/examples/example_builder.h"
#include "train/plan/startup_report.h"
#include "train/record/progress.h"
#include "train/run/run_config.h"

namespace vllama::train {

enum class MediaCheck {
  sampled,  // files of some records are looked for
  all,      // of all records
  none,     // no medium is touched, and so no sample is built
};

struct CheckOptions {
  // As of TrainOptions.
  std::string resume = "auto";
  bool accept_changes = false;
  MediaCheck media = MediaCheck::sampled;
  // Per data set: this many records are built into samples, decoding included; ten times as many
  // files are looked for where not all are.
  std::int64_t num_samples = 200;
  RankCounts ranks = {};  // that the run will have
  ProgressOutput progress = standard_error();
};

// A record that something is wrong with.
struct RecordPlace {
  std::int64_t index = 0;  // as in vllama show --sample
  std::string id, detail;
};

// How many, and the first kMaxListed of them by index.
struct RecordList {
  std::int64_t count = 0;
  std::vector<RecordPlace> first;

  void add(RecordPlace place);
  static constexpr std::size_t kMaxListed = 100;
};

struct DatasetFindings {
  std::string name, annotations;
  std::shared_ptr<const datasets::Dataset> dataset = {};  // null if it could not be opened
  std::vector<std::string> errors;  // why it could not be opened, or its samples not be built
  std::int64_t num_records = 0;
  tables::InvalidEntries invalid;
  RecordList duplicates;  // records whose id an earlier one has
  RecordList media_tags;  // with the tag of a medium as text
  RecordList cleaned;     // whose captions lose more than spaces to the clean-up: before and after

  std::int64_t num_looked_for = 0;  // records whose files were looked for
  RecordList missing;               // absent or empty files

  std::int64_t num_samples = 0;  // records that were built into samples, dropped ones included
  std::map<std::string, RecordList> bad_media, bad_text;  // would be dropped, by reason
  std::vector<std::int64_t> tokens_per_sample;            // of those that were built
  std::int64_t num_shortened = 0;  // text was left out to meet the length limit
  RecordList too_long;             // for the positions of the language model
  RecordList short_clips;          // fewer frames than are taken: some repeat
  RecordList silent;               // without sound that the data set asks for beside frames
  std::int64_t num_concealed_frames = 0;
  std::string first_sample;  // that could be built: its tokens as people read them
};

// What the samples of a run have to fit.
struct SampleLimits {
  samples::ModelInput model;
  std::int64_t max_positions = 0;  // of the language model; 0 if unknown
};

// Number `set` of config.data.sets. `tokenizer` may be null; no sample is built then. Mistakes that
// the user can fix are findings, but for the broken rules of run_rules.h: what those forbid is not
// tried; throws RunFailure if a file changes meanwhile.
DatasetFindings check_dataset(const RunConfig& config, std::size_t set, const SampleLimits& limits,
                              const text::Tokenizer* tokenizer, const CheckOptions& options);

}  // namespace vllama::train
