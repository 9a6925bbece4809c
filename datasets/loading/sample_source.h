// Where a loader gets its samples from.
#pragma once

#include <string>

#include "datasets/entries/record.h"
#include "datasets/examples/example_builder.h"
#include "datasets/order/order.h"
#include "samples/example.h"

namespace vllama::datasets {

// All members may be called from several threads at once.
class SampleSource {
 public:
  virtual ~SampleSource() = default;

  virtual const std::string& dataset_name(std::int64_t dataset) const = 0;
  virtual Record record(const PlannedSample& sample) const = 0;
  // Throws media::MediaError or text::TextError if this one sample is broken.
  virtual samples::Example build(const Record& record, const PlannedSample& sample,
                                 samples::StageSeconds& seconds) const = 0;
};

}  // namespace vllama::datasets
