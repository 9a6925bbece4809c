#include "datasets/loading/mixture.h"

#include <fmt/format.h>

#include <set>

#include "core/broken_rules.h"
#include "core/error.h"
#include "datasets/formats/open_dataset.h"
#include "datasets/order/mixing.h"

namespace vllama::datasets {

std::vector<std::string> broken_name_rules(const DataConfig& data) {
  std::vector<std::string> broken;
  if (data.sets.empty()) broken.emplace_back("data.sets: the list of data sets is empty");
  std::set<std::string> names;
  for (const DatasetConfig& set : data.sets)
    if (!names.insert(set.name).second)
      broken.push_back(
          fmt::format("data.sets: two data sets are called '{}'; rename one", set.name));
  return broken;
}

Mixture::Mixture(const DataConfig& config, const samples::ModelInput& model,
                 const text::Tokenizer& tokenizer) {
  require_none(broken_name_rules(config));
  const IndexFolder indexes = IndexFolder::open(config.index_folder);
  for (const DatasetConfig& set : config.sets)
    members_.push_back({set.name, share_of(set), open_dataset(set, indexes, config.compat),
                        ExampleBuilder(set, config, model, tokenizer)});
}

std::vector<SampleOrder::Source> Mixture::sources() const {
  std::vector<SampleOrder::Source> sources;
  for (const Member& member : members_) sources.push_back({member.dataset->size(), member.weight});
  return sources;
}

const Mixture::Member& Mixture::member(std::int64_t dataset) const {
  VLLAMA_ASSERT(dataset >= 0 && dataset < num_datasets(), "no such data set");
  return members_[static_cast<std::size_t>(dataset)];
}

const std::string& Mixture::dataset_name(std::int64_t dataset) const {
  return member(dataset).name;
}

Record Mixture::record(const PlannedSample& sample) const {
  return member(sample.dataset).dataset->record(sample.index);
}

samples::Example Mixture::build(const Record& record, const PlannedSample& sample,
                                samples::StageSeconds& seconds) const {
  return member(sample.dataset).builder.build(record, sample, seconds);
}

}  // namespace vllama::datasets
