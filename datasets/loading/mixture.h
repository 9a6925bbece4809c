// The data sets of a run, opened, each with the way its records become examples.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "datasets/loading/sample_source.h"

namespace vllama::datasets {

// The broken rules between the names of data sets, every one with what to change.
std::vector<std::string> broken_name_rules(const DataConfig& data);

class Mixture : public SampleSource {
 public:
  // `tokenizer` must outlive the mixture. Throws UserError as open_dataset and ExampleBuilder do,
  // and if there is no data set or two have the same name.
  Mixture(const DataConfig& config, const samples::ModelInput& model,
          const text::Tokenizer& tokenizer);

  std::int64_t num_datasets() const { return static_cast<std::int64_t>(members_.size()); }
  const Dataset& dataset(std::int64_t dataset) const { return *member(dataset).dataset; }
  // Sizes and shares, for a SampleOrder.
  std::vector<SampleOrder::Source> sources() const;

  const std::string& dataset_name(std::int64_t dataset) const override;
  Record record(const PlannedSample& sample) const override;
  samples::Example build(const Record& record, const PlannedSample& sample,
                         samples::StageSeconds& seconds) const override;

 private:
  struct Member {
    std::string name;
    double weight;
    std::unique_ptr<Dataset> dataset;
    ExampleBuilder builder;
  };

  const Member& member(std::int64_t dataset) const;

  std::vector<Member> members_;
};

}  // namespace vllama::datasets
